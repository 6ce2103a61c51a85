"""Asynchronous generators that are left unfinished."""

from __future__ import annotations

import asyncio
import gc
import sys

import pytest


async def count(closed):
    try:
        for number in range(1000):
            yield number
            await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        closed.append(1)


def test_one_that_is_dropped_is_closed_by_the_loop(loop):
    closed = []

    async def main():
        async for _ in count(closed):
            break
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert closed == [1]


def test_shutdown_closes_those_that_live(loop):
    closed = []
    generators = []

    async def main():
        generators.append(count(closed))
        generators.append(count(closed))
        for generator in generators:
            await anext(generator)

    loop.run_until_complete(main())
    assert closed == []
    loop.run_until_complete(loop.shutdown_asyncgens())
    assert closed == [1, 1]


def test_one_that_fails_to_close_is_reported(loop):
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def fails():
        try:
            yield 1
        finally:
            raise ZeroDivisionError

    generator = fails()

    async def main():
        await anext(generator)

    loop.run_until_complete(main())
    loop.run_until_complete(loop.shutdown_asyncgens())
    (context,) = told
    assert context["message"].startswith("an error occurred during closing of asynchronous generator <async_generator")
    assert isinstance(context["exception"], ZeroDivisionError)
    assert context["asyncgen"] is generator


def test_starting_one_after_the_shutdown_warns(loop):
    async def main():
        await loop.shutdown_asyncgens()
        generator = count([])
        with pytest.warns(ResourceWarning, match=r"was scheduled after loop.shutdown_asyncgens"):
            await anext(generator)
        await generator.aclose()

    loop.run_until_complete(main())


def test_hooks_are_restored(loop):
    before = sys.get_asyncgen_hooks()
    loop.run_until_complete(asyncio.sleep(0))
    assert sys.get_asyncgen_hooks() == before
