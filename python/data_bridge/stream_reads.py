"""The reads of an `asyncio.StreamReader` over our transports: a coroutine each, where asyncio nests two or three.

They stand on the reader itself, so that its class stays asyncio's. What they await, `_native.StreamRead`, waits and
takes; whatever is not plain, an end or an exception among it, is left to asyncio's own method.
"""

from __future__ import annotations

from asyncio import StreamReader
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data_bridge._native import StreamReads


@wraps(StreamReader.read)
async def read(reads: StreamReads, n: int = -1) -> bytes:
    """`StreamReader.read`, whose text takes the place of this one."""
    reading = reads.some(n)
    await reading
    if (data := reading.data) is None:
        return await StreamReader.read(reading.reader, n)
    return data


@wraps(StreamReader.readexactly)
async def readexactly(reads: StreamReads, n: int) -> bytes:
    """`StreamReader.readexactly`, whose text takes the place of this one."""
    reading = reads.exactly(n)
    await reading
    if (data := reading.data) is None:
        return await StreamReader.readexactly(reading.reader, n)
    return data


@wraps(StreamReader.readuntil)
async def readuntil(reads: StreamReads, separator: bytes = b"\n") -> bytes:
    """`StreamReader.readuntil`, whose text takes the place of this one."""
    reading = reads.until(separator)
    await reading
    if (data := reading.data) is None:
        return await StreamReader.readuntil(reading.reader, separator)
    return data


@wraps(StreamReader.readline)
async def readline(reads: StreamReads) -> bytes:
    """`StreamReader.readline`, whose text takes the place of this one."""
    reading = reads.line()
    await reading
    if (data := reading.data) is None:
        return await StreamReader.readline(reading.reader)
    return data


def install(reader: StreamReader, reads: StreamReads) -> None:
    """Put the reads on a reader; what a program has put there stays."""
    for function in (read, readexactly, readuntil, readline):
        vars(reader).setdefault(function.__name__, MethodType(function, reads))
