"""`create_task` and task factories."""

from __future__ import annotations

import asyncio
import contextvars
import sys

import pytest

VARIABLE = contextvars.ContextVar("variable", default="outside")


async def read_variable():
    await asyncio.sleep(0)
    return VARIABLE.get()


def test_a_task_is_asyncios_own(loop):
    task = loop.create_task(read_variable())
    assert type(task) is asyncio.Task
    assert task.get_loop() is loop
    assert loop.run_until_complete(task) == "outside"


def test_the_loop_that_is_asked_has_them_whichever_runs(loop, loop_factory, run):
    other = loop_factory()

    async def main():
        task = other.create_task(read_variable())
        assert task.get_loop() is other
        assert other.create_future().get_loop() is other
        assert loop.create_future().get_loop() is loop
        return task

    task = run(main())
    assert other.run_until_complete(task) == "outside"
    other.close()


def test_name_and_context(loop):
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "inside")
    task = loop.create_task(read_variable(), name="reader", context=context)
    assert task.get_name() == "reader"
    assert loop.run_until_complete(task) == "inside"
    other = loop.create_task(read_variable(), name=None, context=None)
    assert other.get_name().startswith("Task-")
    assert loop.run_until_complete(other) == "outside"


def test_what_is_no_coroutine_is_refused(loop):
    with pytest.raises(TypeError, match=r"a coroutine was expected"):
        loop.create_task(42)
    with pytest.raises(TypeError):
        loop.create_task()
    coroutine = read_variable()
    with pytest.raises(TypeError):
        loop.create_task(coroutine, other=1)
    coroutine.close()


def test_factory(loop):
    made = []

    def factory(event_loop, coroutine, **keywords):
        made.append(keywords)
        return asyncio.Task(coroutine, loop=event_loop, **keywords)

    loop.set_task_factory(factory)
    assert loop.get_task_factory() is factory
    task = loop.create_task(read_variable(), name="made")
    assert loop.run_until_complete(task) == "outside"
    assert task.get_name() == "made"
    context = contextvars.copy_context()
    context.run(VARIABLE.set, "inside")
    assert loop.run_until_complete(loop.create_task(read_variable(), context=context)) == "inside"
    assert made[1]["context"] is context
    loop.set_task_factory(None)
    assert loop.get_task_factory() is None


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="from 3.14 on factories get every keyword")
def test_before_3_14_a_plain_factory_needs_no_keywords(loop):
    loop.set_task_factory(lambda event_loop, coroutine: asyncio.Task(coroutine, loop=event_loop))
    task = loop.create_task(read_variable(), name="plain")
    assert task.get_name() == "plain"
    assert loop.run_until_complete(task) == "outside"
    loop.set_task_factory(None)


def test_a_factory_must_be_callable(loop):
    with pytest.raises(TypeError, match=r"^task factory must be a callable or None$"):
        loop.set_task_factory(1)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks exist from 3.12 on")
def test_eager_tasks(loop):
    loop.set_task_factory(asyncio.eager_task_factory)

    async def main():
        seen = []

        async def eager():
            seen.append(1)

        task = asyncio.create_task(eager())
        return seen, task.done()

    assert loop.run_until_complete(main()) == ([1], True)
    loop.set_task_factory(None)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="a keyword of create_task from 3.14 on")
def test_eager_start(loop):
    async def main():
        return loop.create_task(asyncio.sleep(0), eager_start=True), loop.create_task(answer(), eager_start=True).done()

    async def answer():
        return 42

    task, done = loop.run_until_complete(main())
    assert done
    loop.run_until_complete(task)


def test_task_groups_and_gather(loop):
    async def main():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0.001, number)) for number in range(10)]
        return [task.result() for task in tasks], await asyncio.gather(*(asyncio.sleep(0, n) for n in range(10)))

    assert loop.run_until_complete(main()) == (list(range(10)), list(range(10)))


def test_current_and_all_tasks(loop):
    async def main():
        other = asyncio.create_task(asyncio.sleep(0))
        known = asyncio.all_tasks()
        await other
        return asyncio.current_task() in known and other in known

    assert loop.run_until_complete(main())


def test_a_cancelled_task(loop):
    async def main():
        task = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(0)
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert loop.run_until_complete(main())
