"""One file per peer: it says how the server is started on a port and which scenarios it can answer, in one `PEER`.

A peer serves an app of `benchmarks/apps`; a framework of its own adds its app there, with the same routes.
"""
