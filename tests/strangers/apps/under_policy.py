"""uvicorn as an existing program starts it, under our policy: its own loop setting is "none"."""

import asyncio
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import data_bridge

    asyncio.set_event_loop_policy(data_bridge.EventLoopPolicy())

import uvicorn

uvicorn.run("which_loop:app", port=0, loop="none")
