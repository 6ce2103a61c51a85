"""hypercorn in a program of one's own, which picks the loop."""

import hypercorn.asyncio
import which_loop

import data_bridge

config = hypercorn.Config()
config.bind = ["127.0.0.1:0"]
data_bridge.run(hypercorn.asyncio.serve(which_loop.app, config))
