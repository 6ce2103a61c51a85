"""Child processes: how they are started, what their pipes carry, how their end is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, STDOUT

import pytest
from tests.loop.wire import in_thread

import data_bridge

LARGE = bytes(range(256)) * 4096  # 1 MiB: more than a pipe takes


def python(code):
    return sys.executable, "-S", "-c", code


async def output(*command, **options):
    """What the command prints."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, **options)
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return printed


class Recorder(asyncio.SubprocessProtocol):
    """Notes every call; `exited` is done when the process is, `ended` when the transport is."""

    def __init__(self):
        self.calls = []
        self.exited = asyncio.get_running_loop().create_future()
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.calls.append(("connection_made",))

    def pipe_data_received(self, fd, data):
        self.calls.append(("pipe_data_received", fd, data))

    def pipe_connection_lost(self, fd, exc):
        self.calls.append(("pipe_connection_lost", fd, exc))

    def process_exited(self):
        self.calls.append(("process_exited",))
        self.exited.set_result(None)

    def connection_lost(self, exc):
        self.calls.append(("connection_lost", exc))
        self.ended.set_result(None)


def test_a_protocol_hears_of_everything(loop, run):
    async def main():
        transport, protocol = await loop.subprocess_exec(Recorder, "cat")
        assert isinstance(transport, asyncio.SubprocessTransport)
        assert transport.get_protocol() is protocol
        assert transport.get_pid() == transport.get_extra_info("subprocess").pid
        assert transport.get_returncode() is None
        assert isinstance(transport.get_pipe_transport(0), asyncio.WriteTransport)
        assert isinstance(transport.get_pipe_transport(1), asyncio.ReadTransport)
        assert transport.get_pipe_transport(3) is None
        transport.get_pipe_transport(0).write(b"hello")
        transport.get_pipe_transport(0).write_eof()
        await protocol.ended
        assert transport.get_returncode() == 0
        assert protocol.calls[0] == ("connection_made",)
        assert ("pipe_data_received", 1, b"hello") in protocol.calls
        assert {call[1] for call in protocol.calls if call[0] == "pipe_connection_lost"} == {0, 1, 2}
        assert protocol.calls.count(("process_exited",)) == 1
        assert protocol.calls[-1] == ("connection_lost", None)
        transport.close()

    run(main())


def test_a_shell(loop, run):
    async def main():
        process = await asyncio.create_subprocess_shell("echo out; echo err >&2; exit 7", stdout=PIPE, stderr=PIPE)
        assert await process.communicate() == (b"out\n", b"err\n")
        assert process.returncode == await process.wait() == 7
        transport, protocol = await loop.subprocess_shell(Recorder, b"exit 3", stdin=None, stdout=None, stderr=None)
        await protocol.ended
        assert transport.get_returncode() == 3
        transport.close()

    run(main())


def test_megabytes_in_both_directions(run):
    async def main():
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        printed, errors = await process.communicate(LARGE)
        assert (printed, errors) == (LARGE, None)

    run(main())


def test_where_the_standard_streams_go(run, tmp_path):
    code = "import os; os.write(1, b'out'); os.write(2, b'err'); os.write(1, os.read(0, 10))"

    async def main():
        assert await output(*python(code), stdin=DEVNULL, stderr=STDOUT) == b"outerr"
        assert await output(*python(code), stdin=DEVNULL, stderr=DEVNULL) == b"out"
        there = tmp_path / "there"
        with there.open("w+b") as file:
            process = await asyncio.create_subprocess_exec(*python(code), stdin=DEVNULL, stdout=file, stderr=file)
            assert await process.wait() == 0
            assert process.stdin is process.stdout is process.stderr is None
            assert there.read_bytes() == b"outerr"
        here, other = os.pipe()
        os.write(other, b"given")
        assert await output(*python(code), stdin=here, stderr=DEVNULL) == b"outgiven"
        os.close(here)
        os.close(other)

    run(main())


def test_what_a_child_is_given(run, tmp_path):
    code = "import os; print(os.getcwd(), os.environ['GIVEN'], os.umask(0))"

    async def main():
        environment = {**os.environ, "GIVEN": "value"}
        answer = await output(*python(code), cwd=tmp_path, env=environment, umask=0o27)
        assert answer.decode().split() == [str(tmp_path), "value", str(0o27)]
        assert await output("cat", executable="/bin/echo") == b"\n"

    run(main())


@pytest.mark.filterwarnings("ignore:.*preexec_fn:DeprecationWarning")
def test_what_runs_between_fork_and_exec(run):
    async def main():
        environment = await output(*python("import os; print(os.nice(0))"), preexec_fn=lambda: os.nice(3))
        assert int(environment) == min(os.nice(0) + 3, 19)

        def refuse():
            raise ZeroDivisionError

        with pytest.raises(Exception, match="Exception occurred in preexec_fn"):
            await output("true", preexec_fn=refuse)

    run(main())


def test_descriptors_of_a_child(run):
    async def main():
        here, there = os.pipe()
        await output(*python(f"import os; os.write({there}, b'passed')"), pass_fds=(there,))
        assert os.read(here, 10) == b"passed"
        code = f"import os\ntry: os.fstat({there})\nexcept OSError: print('closed')"
        assert await output(*python(code)) == b"closed\n"
        os.set_inheritable(there, True)
        assert await output(*python(code), close_fds=False) == b""
        os.close(here)
        os.close(there)

    run(main())


def test_groups_and_sessions(run):
    code = "import os; print(os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0))"

    async def main():
        assert await output(*python(code)) == b"False False\n"
        assert await output(*python(code), start_new_session=True) == b"True True\n"
        assert await output(*python(code), process_group=0) == b"True False\n"

    run(main())


def test_another_user(run):
    async def main():
        if os.getuid() != 0:
            with pytest.raises(PermissionError):
                await output("id", user=0)
            return
        options = {"user": 65_534, "group": 65_533, "extra_groups": [65_532]}
        assert await output("/bin/sh", "-c", "id -u; id -g; id -G", **options) == b"65534\n65533\n65533 65532\n"

    run(main())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1])
def test_signals(run, number):
    async def main():
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        if number == signal.SIGTERM:
            process.terminate()
        elif number == signal.SIGKILL:
            process.kill()
        else:
            process.send_signal(number)
        waiting = [asyncio.create_task(process.wait()) for _ in range(3)]
        assert await asyncio.gather(*waiting) == [-number] * 3
        with pytest.raises(ProcessLookupError):
            process.kill()

    run(main())


def test_what_cannot_be_started(run, tmp_path):
    async def main():
        (tmp_path / "file").touch(mode=0o644)
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("/nonexistent/program", stdin=PIPE, stdout=PIPE)
        with pytest.raises(PermissionError):
            await asyncio.create_subprocess_exec(tmp_path / "file")

    run(main())


def test_options_that_asyncio_refuses(loop, run):
    async def main():
        for options, message in (
            ({"universal_newlines": True}, "universal_newlines must be False"),
            ({"text": True}, "text must be False"),
            ({"encoding": "utf-8"}, "encoding must be None"),
            ({"errors": "strict"}, "errors must be None"),
            ({"bufsize": 1}, "bufsize must be 0"),
            ({"shell": True}, "shell must be False"),
        ):
            with pytest.raises(ValueError, match=message):
                await loop.subprocess_exec(Recorder, "true", **options)
        with pytest.raises(ValueError, match="cmd must be a string"):
            await loop.subprocess_shell(Recorder, ["true"])
        with pytest.raises(ValueError, match="shell must be True"):
            await loop.subprocess_shell(Recorder, "true", shell=False)

    run(main())


def test_a_transport_that_is_closed_kills(loop, run):
    async def main():
        transport, protocol = await loop.subprocess_exec(
            Recorder, "sleep", "1000", stdin=None, stdout=None, stderr=None
        )
        transport.close()
        transport.close()
        assert transport.is_closing()
        await protocol.ended
        assert ("process_exited",) in protocol.calls

    run(main())


def test_a_cancelled_start_leaves_no_child(loop, run):
    class Slow(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            starting.cancel()

    protocols = []

    def factory():
        protocols.append(Slow())
        return protocols[-1]

    async def main():
        nonlocal starting
        starting = asyncio.create_task(loop.subprocess_exec(factory, "sleep", "1000"))
        with contextlib.suppress(asyncio.CancelledError):
            transport, _ = await starting
            transport.close()
        await protocols[0].ended
        assert protocols[0].transport.get_returncode() == -signal.SIGKILL

    starting = None
    run(main())


def test_many_at_once(run):
    async def main():
        answers = await asyncio.gather(*(output("echo", str(number)) for number in range(50)))
        assert answers == [b"%d\n" % number for number in range(50)]

    run(main())


def test_a_child_that_closes_its_input(run):
    async def main():
        code = "import os, sys; os.close(0); print('closed', flush=True); sys.stderr.read if 0 else None"
        process = await asyncio.create_subprocess_exec(*python(code), stdin=PIPE, stdout=PIPE)
        assert await process.stdout.readline() == b"closed\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while True:
                process.stdin.write(LARGE)
                await process.stdin.drain()
        assert await process.wait() == 0
        await process.stdout.read()

    run(main())


def test_output_that_comes_after_the_exit(loop, run):
    """A grandchild has the pipe: the exit is told at once, and reading goes on."""

    async def main():
        here, there = os.pipe()
        command = "exec 3<&0; cat <&3 & exit 5"  # what runs in the background has no standard input
        transport, protocol = await loop.subprocess_shell(Recorder, command, stdin=here, stderr=None)
        os.close(here)
        await protocol.exited
        assert transport.get_returncode() == 5
        os.write(there, b"late")
        os.close(there)
        await protocol.ended
        assert protocol.calls[-3:] == [
            ("pipe_data_received", 1, b"late"),
            ("pipe_connection_lost", 1, None),
            ("connection_lost", None),
        ]
        transport.close()

    run(main())


def test_a_status_that_somebody_else_has_taken(loop, run, caplog):
    async def main():
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        process.kill()
        os.waitpid(process.pid, 0)  # noqa: ASYNC222 - the loop could not look meanwhile
        return await process.wait()

    if not isinstance(loop, data_bridge.Loop):
        pytest.skip("which watcher asyncio has depends on its version")
    assert run(main()) == 255
    assert "exit status already read" in caplog.text


def test_a_loop_in_another_thread(loop_factory):
    if loop_factory is asyncio.SelectorEventLoop and sys.version_info < (3, 12):
        pytest.skip("needs a child watcher's loop in the main thread")
    found = []

    def work():
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            found.append(runner.run(output("echo", "there")))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [b"there\n"]


def test_debug_mode_logs_the_life_of_a_child(loop, run, caplog):
    loop.set_debug(True)
    caplog.set_level("DEBUG", "asyncio")
    run(output("echo", "there"))
    for words in ("execute program 'echo'", "process 'echo' created: pid", "exited with return code 0"):
        assert words in caplog.text


def test_a_thread_waits_where_there_is_no_pidfd(run, loop, monkeypatch):
    if not isinstance(loop, data_bridge.Loop):
        pytest.skip("ours alone")

    def refuse(self, *_arguments):
        raise OSError

    monkeypatch.setattr(data_bridge.Loop, "_add_child", refuse, raising=False)
    assert run(output("echo", "there")) == b"there\n"
    assert run(in_thread(sum, [1, 2])) == 3
