"""Ctrl-C inside a handler, and `breakpoint()`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
from tests.support import servers

HERE = Path(__file__).parent


def test_ctrl_c_twice_ends_a_handler_that_never_returns() -> None:
    with (
        servers.data_bridge("apps:app", app_dir=HERE) as server,
        socket.create_connection((server.host, server.port)) as waiting,
    ):
        waiting.sendall(b"GET /busy HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("busy")
        server.process.send_signal(signal.SIGINT)
        server.wait_for("Stopping")
        server.process.send_signal(signal.SIGINT)
        server.process.wait(servers.PATIENCE)
    assert server.process.returncode == 130, server.output


def test_breakpoint_in_a_handler() -> None:
    command = [sys.executable, "-m", "data_bridge", "run", "apps:app", "--port", "0", "--no-access-log"]
    process = subprocess.Popen(
        command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        port = 0
        for line in process.stdout:
            if found := servers.LISTENING.search(line):
                port = int(found[2])
                break
        process.stdin.write("answer = 42\nc\n")
        process.stdin.flush()
        assert httpx.get(f"http://127.0.0.1:{port}/debug", timeout=servers.PATIENCE).text == "42"
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=servers.PATIENCE).text == "done"
    finally:
        process.terminate()
        process.communicate(timeout=servers.PATIENCE)
    assert process.returncode == 0
