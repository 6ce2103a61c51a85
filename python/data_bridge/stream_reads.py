"""The reads of an `asyncio.StreamReader` over our transports: a coroutine each, where asyncio nests two or three.

They stand on the reader itself, so that its class stays asyncio's. `_native.StreamReads` takes what is there; whatever
is not plain, an end or an exception among it, is left to asyncio's own method.
"""

from __future__ import annotations

from asyncio import StreamReader
from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING

from data_bridge._native import Arrival

if TYPE_CHECKING:
    from data_bridge._native import StreamReads


@wraps(StreamReader.read)
async def read(reads: StreamReads, n: int = -1) -> bytes:
    """`StreamReader.read`, whose text takes the place of this one."""
    reader = reads.reader()
    while isinstance(data := reads.some(n), Arrival):
        await data
    return await StreamReader.read(reader, n) if data is None else data


@wraps(StreamReader.readexactly)
async def readexactly(reads: StreamReads, n: int) -> bytes:
    """`StreamReader.readexactly`, whose text takes the place of this one."""
    reader = reads.reader()
    while isinstance(data := reads.exactly(n), Arrival):
        await data
    return await StreamReader.readexactly(reader, n) if data is None else data


@wraps(StreamReader.readuntil)
async def readuntil(reads: StreamReads, separator: bytes = b"\n") -> bytes:
    """`StreamReader.readuntil`, whose text takes the place of this one."""
    reader, passed = reads.reader(), 0
    while isinstance(data := reads.until(separator, passed), Arrival):
        passed = data.passed
        await data
    return await StreamReader.readuntil(reader, separator) if data is None else data


@wraps(StreamReader.readline)
async def readline(reads: StreamReads) -> bytes:
    """`StreamReader.readline`, whose text takes the place of this one."""
    reader, passed = reads.reader(), 0
    while isinstance(data := reads.until(b"\n", passed), Arrival):
        passed = data.passed
        await data
    return await StreamReader.readline(reader) if data is None else data


def install(reader: StreamReader, reads: StreamReads) -> None:
    """Put the reads on a reader; what a program has put there stays."""
    for function in (read, readexactly, readuntil, readline):
        vars(reader).setdefault(function.__name__, MethodType(function, reads))
