"""`Handle` and `TimerHandle`: what asyncio documents, and what debuggers look at."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import time
import weakref

import pytest


def callback(*_):
    """A named function: handles show where it is defined."""


def test_they_are_asyncio_handles(loop):
    handle, timer = loop.call_soon(callback), loop.call_later(10, callback)
    assert isinstance(handle, asyncio.Handle)
    assert not isinstance(handle, asyncio.TimerHandle)
    assert isinstance(timer, asyncio.Handle)
    assert isinstance(timer, asyncio.TimerHandle)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("timer", [False, True])
def test_repr_is_that_of_asyncio(loop, debug, cancelled, timer):
    loop.set_debug(debug)
    context = contextvars.copy_context()
    when = loop.time() + 1000
    if timer:
        ours, theirs = (
            loop.call_at(when, callback, 1, "x"),
            asyncio.TimerHandle(when, callback, (1, "x"), loop, context),
        )
    else:
        ours, theirs = loop.call_soon(callback, 1, "x"), asyncio.Handle(callback, (1, "x"), loop, context)
    if cancelled:
        ours.cancel()
        theirs.cancel()
    without_origin = [repr(handle).split(" created at")[0].rstrip(">") for handle in (ours, theirs)]
    assert without_origin[0] == without_origin[1]
    assert (f"created at {__file__}:" in repr(ours)) is debug


def test_repr_of_lambda_partial_and_builtin(loop):
    import functools

    for function in (lambda: None, functools.partial(callback, 1), print, [].append):
        handle = loop.call_soon(function)
        assert repr(handle) == repr(asyncio.Handle(function, (), loop))
        handle.cancel()


def test_attributes(loop):
    context = contextvars.copy_context()
    handle = loop.call_soon(callback, 1, 2, context=context)
    assert handle._callback is callback
    assert handle._args == (1, 2)
    assert handle._context is context
    assert handle._loop is loop
    assert handle._cancelled is False
    assert handle._source_traceback is None
    assert handle._repr is None
    if sys.version_info >= (3, 12):
        assert handle.get_context() is context
    handle.cancel()
    assert handle.cancelled()
    assert handle._cancelled is True
    assert handle._callback is None
    assert handle._args is None


def test_timer_attributes(loop):
    when = loop.time() + 100.5
    timer = loop.call_at(when, callback)
    assert timer.when() == timer._when == when
    assert timer._scheduled is True
    timer.cancel()
    assert timer.cancelled()


def test_a_handle_that_ran_still_shows_what_it_called(loop):
    handle = loop.call_soon(callback, 1)
    loop.stop()
    loop.run_forever()
    assert handle._callback is callback
    assert not handle.cancelled()
    assert "callback" in repr(handle)


def test_weak_references(loop):
    handle = loop.call_soon(callback)
    alive = weakref.ref(handle)
    assert alive() is handle
    del handle
    loop.stop()
    loop.run_forever()
    assert alive() is None


def test_a_cycle_through_a_handle_is_collected(loop):
    class Owner:
        def method(self):
            pass

    def make(how):
        owner = Owner()
        owner.handle = how(owner)
        return weakref.ref(owner)

    alive = [
        make(lambda owner: loop.call_soon(owner.method)),
        make(lambda owner: loop.call_later(0, owner.method)),
    ]
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    cancelled = make(lambda owner: loop.call_later(1000, owner.method))
    cancelled().handle.cancel()
    loop.stop()
    loop.run_forever()
    gc.collect()
    assert [reference() for reference in (*alive, cancelled)] == [None, None, None]


def test_timers_compare_by_time(loop):
    early, late = loop.call_at(1e9, callback), loop.call_at(2e9, callback)
    same = loop.call_at(1e9, callback)
    assert early < late
    assert early <= same
    assert late > early
    assert same >= early
    assert early == same
    assert early != late
    assert hash(early) == hash(same)
    assert early != loop.call_at(1e9, print)
    assert early != loop.call_soon(callback)
    with pytest.raises(TypeError):
        early < 5  # noqa: B015
    theirs = asyncio.TimerHandle(1e9, callback, (), loop)
    assert early == theirs
    assert early <= theirs < late


def test_handles_compare_by_identity(loop):
    first, second = loop.call_soon(callback), loop.call_soon(callback)
    assert first == first  # noqa: PLR0124
    assert first != second
    assert len({first, second}) == 2


def test_run_by_hand(loop):
    seen = []
    loop.call_soon(seen.append, 1)._run()
    assert seen == [1]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="other threads wait for a run from Python 3.14 on")
@pytest.mark.parametrize("method", ["cancel", "cancelled"])
def test_another_thread_waits_for_the_end_of_a_run(loop, method):
    started, seen = threading.Event(), []

    def callback():
        started.set()
        time.sleep(0.01)  # the other thread asks now: one that did not wait would be first
        seen.append("ran")

    def ask():
        handle = loop.call_soon_threadsafe(callback)
        started.wait()
        seen.append(getattr(handle, method)())
        seen.append(isinstance(handle, asyncio.events._ThreadSafeHandle))
        loop.call_soon_threadsafe(loop.stop)

    asking = threading.Thread(target=ask)
    asking.start()
    loop.run_forever()
    asking.join()
    assert seen == ["ran", None if method == "cancel" else False, True]


def test_the_loops_own_thread_cancels_what_it_runs(loop):
    handle = loop.call_soon_threadsafe(lambda: (handle.cancel(), loop.stop()))
    loop.run_forever()
    assert handle.cancelled()
