"""Plain children beside those of `subprocess.Popen`: the same object, the same child, the same errors."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from itertools import product
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

import pytest
from tests.loop.conftest import open_descriptors

import data_bridge
from data_bridge import spawning

INHERITED = (None, None, None)


def plain(*args, streams=INHERITED, **options):
    """A child that was started without `Popen`'s own way."""
    process = spawning.start(args, streams, options)
    assert process is not None
    return process


def popen(*args, streams=INHERITED, **options):
    stdin, stdout, stderr = streams
    return subprocess.Popen(args, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0, **options)


def failure(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    return None


def ended(process):
    """What the child leaves: its status, what it wrote, what the object holds besides."""
    printed = process.communicate(b"given" if process.stdin else None)
    known = {name for name in vars(process) if not name.startswith("_fileobj2output")}
    kept = {name: vars(process)[name] for name in ("args", "returncode", "encoding", "errors", "text_mode", "pipesize")}
    return printed, known, kept, type(process)


@pytest.mark.parametrize("streams", list(product((None, DEVNULL, PIPE), (DEVNULL, PIPE), (DEVNULL, PIPE, STDOUT))))
def test_a_child_and_its_object_are_popens(streams):
    code = "import os; os.write(1, os.read(0, 5)); os.write(2, b'err'); os._exit(3)"
    command = (sys.executable, "-S", "-c", code)
    with Path(os.devnull).open() as nothing:
        streams = (streams[0] or nothing, *streams[1:])
        before = open_descriptors()
        assert ended(plain(*command, streams=streams)) == ended(popen(*command, streams=streams))
        assert open_descriptors() == before


def test_a_child_is_given_its_folder_and_variables(tmp_path):
    (tmp_path / "here").write_text("#!/bin/sh\npwd; echo $GIVEN $OTHER\n")
    (tmp_path / "here").chmod(0o755)
    environment = {"PATH": f"/nonexistent:{tmp_path}", b"GIVEN": b"value", "OTHER": "ä"}
    streams = (None, PIPE, None)
    mine, theirs = (start("here", streams=streams, cwd=tmp_path, env=environment) for start in (plain, popen))
    printed = f"{tmp_path}\nvalue ä\n".encode()
    assert mine.communicate() == theirs.communicate() == (printed, None)
    assert plain("true", env=None, cwd=None).wait() == 0


def test_a_child_has_neither_our_descriptors_nor_our_ignored_signals():
    reading, writing = os.pipe()
    try:
        os.set_inheritable(writing, True)
        code = f"test -e /proc/self/fd/{writing} && exit 1; kill -PIPE $$"
        assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
        assert plain("/bin/sh", "-c", code).wait() == -signal.SIGPIPE
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (("/nonexistent/program",), {}),
        (("no-such-program-anywhere",), {}),
        (("/etc/passwd",), {}),
        (("/",), {}),
        (("true",), {"cwd": "/nonexistent"}),
        (("true",), {"env": {"A=B": "c"}}),
        (("true",), {"env": {"A": 1}}),
        (("true",), {"env": 1}),
        (("true", "a\0b"), {}),
        (("true", 1), {}),
        ((1,), {}),
        ((), {}),
    ],
)
@pytest.mark.parametrize("streams", [INHERITED, (DEVNULL, PIPE, PIPE)])
def test_what_cannot_be_started_is_popens_to_tell(args, options, streams):
    before = open_descriptors()
    assert spawning.start(args, streams, options) is None
    stdin, stdout, stderr = streams

    async def main():
        create = asyncio.get_running_loop()._make_subprocess_transport
        await create(asyncio.SubprocessProtocol(), args, False, stdin, stdout, stderr, 0, **options)

    theirs = failure(lambda: popen(*args, streams=streams, **options))
    ours = failure(lambda: data_bridge.run(main()))
    assert theirs is not None
    assert (type(ours), str(ours)) == (type(theirs), str(theirs))
    assert open_descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no child is left


@pytest.mark.parametrize(
    ("streams", "options"),
    [
        (INHERITED, {"umask": 0o27}),
        (INHERITED, {"start_new_session": True}),
        (INHERITED, {"pass_fds": (0,)}),
        (INHERITED, {"no_such_option": 1}),
        ((None, STDOUT, None), {}),
        ((10**6, None, None), {}),
        ((object(), None, None), {}),
    ],
)
def test_what_is_not_plain_is_left_to_popen(streams, options):
    assert spawning.start(("true",), streams, options) is None


def test_a_popen_that_somebody_has_changed_is_asked(monkeypatch):
    seen = []
    genuine = subprocess.Popen.__init__

    def init(self, *args, **options):
        seen.append(args)
        genuine(self, *args, **options)

    async def main():
        process = await asyncio.create_subprocess_exec("true")
        return await process.wait()

    monkeypatch.setattr(subprocess.Popen, "__init__", init)
    assert data_bridge.run(main()) == 0
    assert seen == [(("true",),)]
    monkeypatch.undo()

    class Mine(subprocess.Popen):
        def __init__(self, args, **options):
            seen.append(args)
            super().__init__(args, **options)

    monkeypatch.setattr(subprocess, "Popen", Mine)
    assert data_bridge.run(main()) == 0
    assert seen[1:] == [("true",)]


def script(code):
    """The code in an interpreter of its own, which prints what it has to say."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=60, check=False)
    return done.stdout.decode(), done.stderr.decode()


def test_an_audit_hook_hears_and_may_refuse():
    code = """
        import sys
        from data_bridge import spawning
        heard = []
        def hook(event, arguments):
            if event == "subprocess.Popen":
                heard.append(arguments)
                if arguments[0] == "false":
                    raise PermissionError
        sys.addaudithook(hook)
        print(spawning.start(("true", "x"), (None,) * 3, {"cwd": "/"}).wait())
        print(spawning.start(("false",), (None,) * 3, {}))
        print(heard)
    """
    heard = [("true", ["true", "x"], "/", None), ("false", ["false"], None, None)]
    assert script(code) == (f"0\nNone\n{heard}\n", "")


def test_a_process_without_standard_streams():
    code = """
        import asyncio, os, data_bridge
        printed = os.dup(1)
        async def main():
            for fd in range(3):
                os.close(fd)
            command = "sh", "-c", "cat; echo out; echo err >&2"
            process = await asyncio.create_subprocess_exec(*command, stdin=-3, stdout=-1, stderr=-1)
            os.write(printed, repr(await process.communicate()).encode())
        data_bridge.run(main())
    """
    assert script(code) == ("(b'out\\n', b'err\\n')", "")
