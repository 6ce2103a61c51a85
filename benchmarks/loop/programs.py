"""Child processes, one at a time. Knows no pipes; CPU time is the parent's alone."""

import asyncio

from benchmarks.loop.registry import async_case


@async_case("subprocess spawn + wait", 200)
async def subprocess_wait(n: int) -> None:
    """A program that ends at once."""
    for _ in range(n):
        process = await asyncio.create_subprocess_exec("/bin/true")
        await process.wait()
