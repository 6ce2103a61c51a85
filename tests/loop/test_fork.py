"""A forked child must not use its parent's loop. Ours alone: asyncio leaves this undefined."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings

import pytest

import data_bridge


def in_a_fork(body):
    """What `body()` returned in a forked child, as text."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*use of fork.*", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            answer = str(body())
        except BaseException as error:  # noqa: BLE001 - the parent must hear of it
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answers:
        answer = answers.read()
    assert os.waitpid(child, 0)[1] == 0
    return answer


@pytest.mark.parametrize("running", [False, True])
def test_the_parents_loop_is_refused_in_the_child_and_lives_on_in_the_parent(running):
    loop = data_bridge.new_event_loop()
    coroutine = asyncio.sleep(0)

    def use():
        return loop.run_until_complete(coroutine)

    def fork():
        if running and sys.version_info < (3, 12):
            asyncio._set_running_loop(None)
        answer = in_a_fork(use)
        if running:
            asyncio._set_running_loop(loop)
        return answer

    async def main():
        return fork()

    answer = loop.run_until_complete(main()) if running else fork()
    assert answer == "RuntimeError: Event loop belongs to the parent process: a forked child must make a new one"
    assert loop.run_until_complete(asyncio.sleep(0, 42)) == 42
    coroutine.close()
    loop.close()


def test_a_child_makes_its_own_loop():
    async def answer():
        await asyncio.sleep(0.001)
        return 42

    async def main():
        def child():
            asyncio._set_running_loop(None)
            return data_bridge.run(answer())

        return in_a_fork(child)

    assert data_bridge.run(main()) == "42"


def test_a_child_does_not_disturb_what_the_parent_watches():
    read, write = os.pipe()
    loop = data_bridge.new_event_loop()
    seen = []
    loop.add_reader(read, lambda: (seen.append(os.read(read, 10)), loop.stop()))

    def child():
        loop.remove_reader(read)
        loop.close()
        return loop.is_running()

    assert in_a_fork(child) == "False"
    os.write(write, b"x")
    loop.run_forever()
    assert seen == [b"x"]
    loop.close()
    os.close(read)
    os.close(write)
