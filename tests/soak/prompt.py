"""An App for `limits.py`: handlers that wait, and when each was cancelled, by the clock that all processes share."""

import asyncio
import time

from data_bridge import App

app = App()
cancelled = []


async def wait():
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        cancelled.append(time.monotonic())
        raise


@app.get("/wait")
async def waits():
    await wait()


@app.get("/late", timeout=0.2)
async def late():
    await wait()


@app.get("/cancelled")
async def when():
    return cancelled
