"""The file that says which process is the server, for those who want to signal it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def written(path: str | None) -> Iterator[None]:
    """Keep this process's id in the file ``path`` inside. Raises ``OSError`` where another server's is in it."""
    if path is None:
        yield
        return
    other = read(path)
    if other is not None and _lives(other):
        raise FileExistsError(
            errno.EEXIST, f"{path} names process {other}, which is running; stop it or choose another --pidfile"
        )
    try:
        Path(path).write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        raise OSError(error.errno, f"cannot write --pidfile {path}: {error.strerror}") from None
    try:
        yield
    finally:
        if read(path) == os.getpid():
            Path(path).unlink()


def read(path: str) -> int | None:
    """Give the process id that is in the file ``path``, if there is one."""
    try:
        return int(Path(path).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
