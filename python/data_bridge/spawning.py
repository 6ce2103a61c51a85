"""A child process as `subprocess.Popen` starts it, by fewer steps where it is plain.

The object is a `Popen`, the fork is the interpreter's own. What is not plain is left to `Popen` itself, and so is what
fails, which it says best.
"""

from __future__ import annotations

import errno
import functools
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Private names of the interpreter, of which mypy's stubs know some only.
_subprocess: Any = subprocess

#: Options of `Popen` that a plain child may have.
_PLAIN = frozenset(("cwd", "env"))

#: Since 3.14 the fork decides by itself about vfork().
_CHOICE_OF_VFORK = sys.version_info < (3, 14)

_NO_HANDLES = (-1,) * 6
_STDERR = 2


def start(
    args: Sequence[Any], streams: tuple[Any, Any, Any], options: dict[str, Any]
) -> subprocess.Popen[bytes] | None:
    """Start what `Popen(args, bufsize=0, **options)` would start; return None, nothing done, where that has to do it.

    Args:
        args: the program and its arguments.
        streams: `stdin`, `stdout` and `stderr`, as `Popen` takes them.
        options: `cwd` and `env` are plain.

    """
    _, stdout, _ = streams
    if stdout == subprocess.STDOUT or not (_PLAIN.issuperset(options) and _is_genuine()):
        return None
    process = subprocess.Popen.__new__(subprocess.Popen)
    vars(process).update(_untouched(), args=args, _waitpid_lock=threading.Lock())
    try:
        _start(process, list(args), streams, **options)
    except Exception:  # noqa: BLE001 - Popen meets it again, and raises it in its own words
        return None
    return process


def _is_genuine() -> bool:
    """Whether nobody has put something of their own in the place of `Popen` or of what starts its child."""
    names, popen = vars(subprocess), _subprocess.Popen
    return all(getattr(f, "__globals__", None) is names for f in (popen.__init__, popen._execute_child))


@functools.cache
def _untouched() -> dict[str, Any]:
    """Return what this version's `Popen.__init__` gives an object besides a child."""

    class Childless(subprocess.Popen[bytes]):
        def _execute_child(self, *_: Any) -> None:
            pass

    return vars(Childless((), bufsize=0))


def _start(
    process: Any,
    args: list[Any],
    streams: tuple[Any, Any, Any],
    cwd: Any = None,
    env: Mapping[Any, Any] | None = None,
) -> None:
    """Open the pipes and fork. What was opened is closed again if that fails."""
    if all(stream is None for stream in streams):
        _fork(process, args, _NO_HANDLES, cwd, env)
        return
    handles = process._get_handles(*streams)
    _, to_stdin, from_stdout, _, from_stderr, _ = handles
    try:
        process.stdin = _unbuffered(to_stdin, "wb")
        process.stdout = _unbuffered(from_stdout, "rb")
        process.stderr = _unbuffered(from_stderr, "rb")
        _fork(process, args, handles, cwd, env)
    except BaseException:
        for file in filter(None, (process.stdin, process.stdout, process.stderr)):
            file.close()
        raise
    finally:
        process._close_pipe_fds(*handles)


def _unbuffered(fd: int, mode: str) -> Any:
    return None if fd == -1 else open(fd, mode, buffering=0)


def _fork(process: Any, args: list[Any], handles: Sequence[int], cwd: Any, env: Mapping[Any, Any] | None) -> None:
    """Fork and wait for the exec. Raises whatever keeps the program from running."""
    _subprocess._cleanup()
    sys.audit("subprocess.Popen", args[0], args, cwd, env)
    candidates, variables = _candidates(args[0], env), _variables(env)
    failed, to_parent = os.pipe()
    try:
        try:
            if to_parent <= _STDERR:
                raise OSError(errno.EBADF, "standard streams are closed")  # the child's would take its place
            process.pid = _subprocess._fork_exec(
                *(args, candidates, True, (to_parent,), cwd, variables, *handles, failed, to_parent),
                *(True, False, -1, None, None, None, -1, None),
                *((_subprocess._USE_VFORK,) if _CHOICE_OF_VFORK else ()),
            )
            process._child_created = True
        finally:
            os.close(to_parent)
        if os.read(failed, 1):
            process.returncode = 127  # a child that is nobody's any more
            os.waitpid(process.pid, 0)
            raise OSError(errno.ENOEXEC, "the program was not started")
    finally:
        os.close(failed)


def _candidates(program: Any, env: Mapping[Any, Any] | None) -> tuple[bytes, ...]:
    """Return the places where the program may be."""
    name = os.fsencode(program)
    if b"/" in name:
        return (name,)
    return tuple(os.path.join(os.fsencode(folder), name) for folder in os.get_exec_path(env))  # noqa: PTH118 - bytes


def _variables(env: Mapping[Any, Any] | None) -> list[bytes] | None:
    """Return the child's environment, None for our own."""
    if env is None:
        return None
    names = [os.fsencode(name) for name in env]
    if any(b"=" in name for name in names):
        raise ValueError("illegal environment variable name")
    return [b"%b=%b" % (name, os.fsencode(value)) for name, value in zip(names, env.values(), strict=True)]
