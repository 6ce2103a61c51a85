"""`loop.sendfile()` and `loop.sock_sendfile()`: asyncio's rules and fallbacks around sendfile(2)."""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.unix_events
import errno
import inspect
import io
import os
from typing import IO, TYPE_CHECKING, Any

from data_bridge import _native

if TYPE_CHECKING:
    import socket

_base: Any = asyncio.base_events.BaseEventLoop
_unix: Any = asyncio.unix_events._UnixSelectorEventLoop

#: One call sends at most this many bytes, so that the others get their turn.
_STRETCH = 1 << 30

#: Whether the file's position is set even if nothing was sent: asyncio does so since it asks no more how much that was.
_ALWAYS_MOVES = "total_sent" not in inspect.signature(_unix._sock_sendfile_update_filepos).parameters


class Sendfile(_native.EventLoop):
    """The part of the loop that sends files."""

    __slots__ = ()

    sendfile = _base.sendfile
    sock_sendfile = _base.sock_sendfile

    _check_sendfile_params = _base._check_sendfile_params
    _sendfile_fallback = _base._sendfile_fallback
    _sock_sendfile_fallback = _base._sock_sendfile_fallback

    async def _sendfile_native(self, transport: Any, file: IO[bytes], offset: int, count: int | None) -> int:
        """Send through a transport, which lends its socket as soon as its own output is gone."""
        reads = transport.is_reading()
        transport.pause_reading()
        await transport._make_empty_waiter()
        try:
            sent: int = await self.sock_sendfile(transport._lend(), file, offset, count, fallback=False)
            return sent
        finally:
            transport._reset_empty_waiter()
            if reads:
                transport.resume_reading()

    async def _sock_sendfile_native(self, sock: socket.socket, file: IO[bytes], offset: int, count: int | None) -> int:
        """Send by sendfile(2), and leave the file's position behind what was sent."""
        try:
            number = file.fileno()
            size = os.fstat(number).st_size
        except (AttributeError, OSError) as error:  # io.UnsupportedOperation is an OSError
            raise asyncio.SendfileNotAvailableError("not a regular file") from error
        length = count or size
        if not length:
            return 0
        total = 0
        try:
            while length > 0:
                sent = await self._send_stretch(sock, number, offset + total, min(length, _STRETCH))
                if not sent:
                    break  # the file's end
                total += sent
                if count:
                    length = count - total
        except OSError as error:
            if not total:
                raise asyncio.SendfileNotAvailableError("os.sendfile call failed") from error
            if error.errno == errno.ENOTCONN and type(error) is not ConnectionError:
                raise ConnectionError("socket is not connected", errno.ENOTCONN) from error
            raise
        finally:
            if total or _ALWAYS_MOVES:
                os.lseek(number, offset + total, io.SEEK_SET)
        return total

    async def _send_stretch(self, sock: socket.socket, file: int, offset: int, count: int) -> int:
        sent: Any = self._sock_sendfile(sock, file, offset, count)
        if isinstance(sent, int):
            await asyncio.sleep(0)  # a fast reader must not keep the loop busy with one file
            return sent
        try:
            return await sent  # type: ignore[no-any-return]
        except BaseException:
            self._sock_forget(sock, sent)
            raise
