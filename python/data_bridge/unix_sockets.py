"""A listening Unix socket and the file that clients find it by. Knows no settings."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that a server gets to accept whether it lives.
_PATIENCE = 1.0
#: Seconds that others get who look for a dead server's file in the same folder, and between two attempts.
_LOCK_PATIENCE = 10.0
_LOCK_PAUSE = 0.02


class UnixListener(socket.socket):
    """A socket that listens at a path. Closing it removes the file, unless another one stands there by now."""

    #: The file and what tells it from others.
    _made: tuple[Path, tuple[int, int]] | None = None

    @classmethod
    def at(cls, path: str, backlog: int, *, mode: int) -> Self:
        """Listen at ``path``, whose file gets ``mode``; a file that a dead server left is replaced.

        Raises ``OSError`` with a text that says what to do.
        """
        opened = cls(socket.AF_UNIX, socket.SOCK_STREAM)
        file = Path(path).absolute()
        try:
            with _alone(file.parent):
                _clear(path)
                opened.bind(path)
                opened._made = file, _identity(file)
                file.chmod(mode)  # before anybody can connect
                opened.listen(backlog)
        except OSError as error:
            opened.close()
            raise OSError(error.errno or errno.EINVAL, _unbound(path, error)) from None
        return opened

    def close(self) -> None:
        """Remove the file, and stop listening."""
        if self._made is not None:
            (file, identity), self._made = self._made, None
            with contextlib.suppress(OSError):
                if _identity(file) == identity:
                    file.unlink()
        super().close()


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one server at a time look for a dead one's file and take its place: two would remove each other's."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # a folder that may be written and not read; what is wrong with others, binding says
        yield
        return
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Lock it. Raises ``OSError`` where its holder, stopped perhaps, keeps it for longer than any server needs it."""
    end = time.monotonic() + _LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                why = f"another program has kept {folder} locked for {_LOCK_PATIENCE:g} s; end it (`fuser -v {folder}`)"
                raise OSError(errno.EAGAIN, why) from None
            time.sleep(_LOCK_PAUSE)
        else:
            return


def _identity(file: Path) -> tuple[int, int]:
    found = file.lstat()
    return found.st_dev, found.st_ino


def _clear(path: str) -> None:
    """Remove a socket that nobody listens on. Raises ``OSError`` where somebody does, and for any other file."""
    try:
        found = Path(path).lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(errno.EEXIST, "there is a file that is no socket")
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(_PATIENCE)
        try:
            trial.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
        except TimeoutError:
            pass  # it lives and is busy
    raise OSError(errno.EADDRINUSE, "in use")


def _unbound(path: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{path} is in use by another server; stop it or choose another path"
    return f"cannot listen at {path}: {error.strerror or error}"
