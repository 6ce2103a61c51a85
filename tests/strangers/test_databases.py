"""Drivers of real databases on our loop. Each test asserts the class of the loop that really ran."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import redis.asyncio
from tests.support import databases
from tests.support.servers import PATIENCE

import data_bridge
from data_bridge.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def redis_port() -> Iterator[int]:
    with databases.redis() as port:
        yield port


@pytest.fixture(scope="module")
def postgres() -> Iterator[databases.Postgres]:
    with databases.postgres() as server:
        yield server


@pytest.fixture(params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, postgres: databases.Postgres) -> dict[str, Any]:
    """How asyncpg reaches the server."""
    host = "127.0.0.1" if request.param == "tcp" else postgres.folder
    return {"host": host, "port": postgres.port, "user": postgres.user, "database": "postgres"}


def assert_ours() -> None:
    assert isinstance(asyncio.get_running_loop(), Loop)


def connected(port: int) -> redis.asyncio.Redis:
    """A client that does not give up after five seconds, as it would by itself."""
    return redis.asyncio.Redis(port=port, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)


async def fail_in_a_transaction(speaker: asyncpg.Connection) -> None:
    async with speaker.transaction():
        await speaker.execute("notify news, 'never'")
        await speaker.fetchval("select 1 / 0")


def test_redis_py_pipelines_and_subscribes(redis_port: int) -> None:
    async def main() -> int:
        assert_ours()
        client = connected(redis_port)
        async with client.pipeline() as pipe:
            for number in range(1000):
                pipe.incrby("sum", number)
            await pipe.execute()
        async with client.pubsub() as listener:
            await listener.subscribe("news")
            await client.publish("news", "hello")
            kinds = [(await listener.get_message(timeout=PATIENCE))["type"] for _ in range(2)]
            assert kinds == ["subscribe", "message"]
        total = int(await client.get("sum"))
        await client.aclose()
        return total

    assert data_bridge.run(main()) == sum(range(1000))


def test_redis_py_waits_in_many_tasks_at_once(redis_port: int) -> None:
    async def main() -> None:
        assert_ours()
        async with connected(redis_port) as client:
            waiting = [asyncio.create_task(client.blpop(f"queue-{number}")) for number in range(20)]
            for number in range(20):
                await client.rpush(f"queue-{number}", b"v" * number * 10_000)
            answers = await asyncio.gather(*waiting)
            assert [len(value) for _name, value in answers] == [number * 10_000 for number in range(20)]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await client.blpop("nothing")
            assert await client.ping()

    data_bridge.run(main())


def test_asyncpg_pools_queries_and_copies(place: dict[str, Any]) -> None:
    async def main() -> None:
        assert_ours()
        async with asyncpg.create_pool(**place, min_size=1, max_size=5) as pool:
            doubled = await asyncio.gather(*(pool.fetchval("select $1::int * 2", number) for number in range(200)))
            assert doubled == [number * 2 for number in range(200)]
            async with pool.acquire() as connection:
                await connection.execute("create temporary table words (number int, word text)")
                records = [(number, "w" * number) for number in range(2000)]
                await connection.copy_records_to_table("words", records=records)
                async with connection.transaction():
                    cursor = connection.cursor("select word from words order by number")
                    assert [len(record["word"]) async for record in cursor] == list(range(2000))
                assert len(await connection.fetchval("select repeat('x', 5000000)")) == 5_000_000

    data_bridge.run(main())


def test_asyncpg_notifies_and_rolls_back(place: dict[str, Any]) -> None:
    async def main() -> None:
        assert_ours()
        listener, speaker = await asyncpg.connect(**place), await asyncpg.connect(**place)
        heard: asyncio.Queue[str] = asyncio.Queue()
        await listener.add_listener("news", lambda *message: heard.put_nowait(message[-1]))
        await speaker.execute("notify news, 'hello'")
        assert await asyncio.wait_for(heard.get(), PATIENCE) == "hello"
        with pytest.raises(asyncpg.DivisionByZeroError):
            await fail_in_a_transaction(speaker)
        assert heard.empty()
        await listener.close()
        await speaker.close()

    data_bridge.run(main())


def test_asyncpg_cancels_a_query_on_the_server(place: dict[str, Any]) -> None:
    """It opens a second connection to say so, and the first stays good."""

    async def main() -> int:
        assert_ours()
        connection = await asyncpg.connect(**place)
        with pytest.raises(TimeoutError):
            await connection.execute("select pg_sleep(60)", timeout=0.05)
        answer: int = await connection.fetchval("select 42")
        await connection.close()
        return answer

    assert data_bridge.run(main()) == 42
