"""The exception handler: who is told what, in which words."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys

import pytest


class BoomError(Exception):
    pass


def boom(*_):
    raise BoomError("boom")


def turn(loop):
    loop.stop()
    loop.run_forever()


@pytest.fixture
def told(loop):
    """The contexts that the loop's exception handler was called with."""
    contexts = []
    loop.set_exception_handler(lambda _loop, context: contexts.append(context))
    return contexts


def test_a_failing_callback_is_reported_and_the_loop_goes_on(loop, told):
    seen = []
    handle = loop.call_soon(boom, 1)
    loop.call_soon(seen.append, "next")
    turn(loop)
    assert seen == ["next"]
    (context,) = told
    assert context["handle"] is handle
    assert isinstance(context["exception"], BoomError)
    assert context["message"].startswith("Exception in callback boom(")
    assert f" at {__file__}:" in context["message"]
    assert set(context) == {"message", "exception", "handle"}


def test_in_debug_mode_the_report_says_where_the_handle_was_made(loop, told):
    loop.set_debug(True)
    loop.call_soon(boom, "argument")
    turn(loop)
    (context,) = told
    assert "boom('argument')" in context["message"]
    assert context["source_traceback"][-1].name == test_in_debug_mode_the_report_says_where_the_handle_was_made.__name__


def test_base_exceptions_are_reported_too(loop, told):
    def leave():
        raise GeneratorExit

    loop.call_soon(leave)
    turn(loop)
    assert isinstance(told[0]["exception"], GeneratorExit)


def test_the_default_handler_logs(loop, caplog):
    loop.set_exception_handler(None)
    handle = loop.call_soon(boom)
    turn(loop)
    (record,) = caplog.records
    assert record.name == "asyncio"
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is BoomError
    message, second = record.getMessage().split("\n")
    assert message.startswith("Exception in callback boom() at ")
    assert second == f"handle: {handle!r}"


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, "Unhandled exception in event loop"),
        ({"message": ""}, "Unhandled exception in event loop"),
        ({"message": "m", "zebra": 1, "apple": "x"}, "m\napple: 'x'\nzebra: 1"),
    ],
)
def test_the_default_handlers_words(loop, caplog, context, expected):
    loop.default_exception_handler(context)
    assert caplog.records[0].getMessage() == expected
    assert not caplog.records[0].exc_info


def test_get_and_set(loop):
    def handler(_loop, _context):
        pass

    loop.set_exception_handler(handler)
    assert loop.get_exception_handler() is handler
    loop.set_exception_handler(None)
    assert loop.get_exception_handler() is None
    with pytest.raises(TypeError, match=r"A callable object or None is expected, got 'spam'"):
        loop.set_exception_handler("spam")


def test_a_handler_that_fails_is_reported_by_the_default_one(loop, caplog):
    loop.set_exception_handler(boom)
    loop.call_exception_handler({"message": "first", "exception": ValueError()})
    loop.set_exception_handler(None)
    (record,) = caplog.records
    assert record.getMessage().startswith("Unhandled error in exception handler\ncontext: {'message': 'first'")
    assert record.exc_info[0] is BoomError


def test_a_default_handler_that_fails_is_logged(loop_factory, caplog):
    created = loop_factory()
    created.default_exception_handler = boom
    created.call_exception_handler({"message": "m"})
    created.set_exception_handler(boom)
    created.call_exception_handler({"message": "m"})
    created.close()
    assert [record.getMessage() for record in caplog.records] == [
        "Exception in default exception handler",
        "Exception in default exception handler while handling an unexpected error in custom exception handler",
    ]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_a_handler_may_end_the_program(loop, kind):
    def leave(_loop, _context):
        raise kind

    loop.set_exception_handler(leave)
    loop.call_soon(boom)
    with pytest.raises(kind):
        loop.run_forever()
    loop.set_exception_handler(None)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio does this from 3.12 on")
def test_the_handler_runs_in_the_context_of_what_failed(loop):
    variable = contextvars.ContextVar("variable", default="none")
    seen = []
    loop.set_exception_handler(lambda _loop, _context: seen.append(variable.get()))
    context = contextvars.copy_context()
    context.run(variable.set, "handle's")
    loop.call_soon(boom, context=context)
    turn(loop)
    assert seen == ["handle's"]


def test_an_exception_that_nobody_retrieved_is_reported(loop, told):
    async def main():
        future = loop.create_future()
        future.set_exception(BoomError())
        del future

    loop.run_until_complete(main())
    assert told[0]["message"] == "Future exception was never retrieved"


def test_a_pending_task_that_is_destroyed_is_reported(loop, told):
    import gc

    async def main():
        await loop.create_future()

    task = loop.create_task(main())
    turn(loop)
    del task
    gc.collect()
    assert told[0]["message"] == "Task was destroyed but it is pending!"
    told.clear()  # the report keeps its task, and from 3.14 on all_tasks() counts one that has come back to life
    gc.collect()


def test_a_cancelled_error_in_a_callback_is_reported(loop, told):
    def cancelled():
        raise asyncio.CancelledError

    loop.call_soon(cancelled)
    turn(loop)
    assert isinstance(told[0]["exception"], asyncio.CancelledError)
