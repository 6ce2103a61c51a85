"""Child processes and pipes: asyncio's own coroutines and transports, on native registrations.

A child's end is seen by its pidfd, without a child watcher and without SIGCHLD, so a program may handle that signal
itself. Where the kernel or a sandbox has no pidfd, a thread waits for the child.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.unix_events
import itertools
import logging
import os
import threading
from typing import Any

from data_bridge import _native, spawning

_base: Any = asyncio.base_events.BaseEventLoop
_unix: Any = asyncio.unix_events

logger = logging.getLogger("asyncio")

#: What asyncio reports for a child whose exit status somebody else has taken.
_UNKNOWN = 255

_numbers = itertools.count()


class _UnixSubprocessTransport(_unix._UnixSubprocessTransport):  # type: ignore[misc]
    """asyncio's, by its name, with a shorter way to a plain child."""

    def _start(
        self, args: Any, shell: bool, stdin: Any, stdout: Any, stderr: Any, bufsize: int, **options: Any
    ) -> None:
        self._proc = None if shell else spawning.start(args, (stdin, stdout, stderr), options)
        if self._proc is None:
            super()._start(args, shell, stdin, stdout, stderr, bufsize, **options)


class Subprocesses(_native.EventLoop):
    """The part of the loop that knows programs and pipes."""

    __slots__ = ()

    subprocess_exec = _base.subprocess_exec
    subprocess_shell = _base.subprocess_shell
    connect_read_pipe = _base.connect_read_pipe
    connect_write_pipe = _base.connect_write_pipe

    _log_subprocess = _base._log_subprocess

    def _add_reader(self, fd: int, callback: Any, *args: Any) -> None:
        self.add_reader(fd, callback, *args)

    def _remove_writer(self, fd: int) -> bool:
        return self.remove_writer(fd)

    def _make_read_pipe_transport(
        self,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> asyncio.ReadTransport:
        transport: asyncio.ReadTransport = _unix._UnixReadPipeTransport(self, pipe, protocol, waiter, extra)
        return transport

    def _make_write_pipe_transport(
        self,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> asyncio.WriteTransport:
        transport: asyncio.WriteTransport = _unix._UnixWritePipeTransport(self, pipe, protocol, waiter, extra)
        return transport

    async def _make_subprocess_transport(
        self,
        protocol: asyncio.SubprocessProtocol,
        args: Any,
        shell: bool,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        bufsize: int,
        extra: dict[str, Any] | None = None,
        **options: Any,
    ) -> asyncio.SubprocessTransport:
        waiter = self.create_future()
        transport = _UnixSubprocessTransport(
            self, protocol, args, shell, stdin, stdout, stderr, bufsize, waiter=waiter, extra=extra, **options
        )
        self._watch_child(transport)
        try:
            await waiter
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            transport.close()
            await transport._wait()
            raise
        return transport

    def _watch_child(self, transport: Any) -> None:
        pid = transport.get_pid()
        try:
            self._add_child(pid, self._child_exited, transport)
        except OSError:
            name = f"waitpid-{next(_numbers)}"
            threading.Thread(target=self._wait_for_child, args=(pid, transport), name=name, daemon=True).start()

    def _child_exited(self, pid: int, returncode: int | None, transport: Any) -> None:
        """Tell the transport; None: somebody else has taken the exit status."""
        if returncode is None:
            returncode = transport._proc.returncode  # maybe by way of the Popen object
        if returncode is None:
            returncode = _UNKNOWN
            logger.warning("child process pid %d exit status already read:  will report returncode 255", pid)
        transport._process_exited(returncode)

    def _wait_for_child(self, pid: int, transport: Any) -> None:
        try:
            _pid, status = os.waitpid(pid, 0)
        except ChildProcessError:
            returncode = None
        else:
            returncode = os.waitstatus_to_exitcode(status)
        try:
            self.call_soon_threadsafe(self._child_exited, pid, returncode, transport)
        except RuntimeError:
            logger.warning("Loop %r that handles pid %r is closed", self, pid)
