"""The deployment guide's examples, run as far as they can be: nginx in front, systemd's unit, every command line."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers
from tests.support.certificates import Authority, Certificate
from websockets.sync.client import connect

from data_bridge import cli, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "deployment.md").read_text(encoding="utf-8")
APPS = ROOT / "tests" / "http" / "apps"


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def commands() -> list[list[str]]:
    """Every `data-bridge run` of the guide that stands on a line of its own, in the unit or in the container file."""
    lines = re.findall(r"^(?: {4}|ExecStart=\S*/)data-bridge (run .*)$", GUIDE, re.MULTILINE)
    started = re.search(r"^CMD (\[.*\])$", block("dockerfile"), re.MULTILINE)
    assert started
    return [*map(shlex.split, lines), json.loads(started[1])[1:]]


@pytest.mark.parametrize("arguments", commands(), ids=" ".join)
def test_a_command_line_is_understood(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[settings.Settings] = []
    monkeypatch.setattr(cli, "serve_as_set", lambda _app, chosen: seen.append(chosen))
    cli.main(arguments)
    assert len(seen) == 1


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    there = block("ini").replace("/srv/shop/venv/bin/data-bridge", shutil.which("true") or "/bin/true")
    (tmp_path / "shop.service").write_text(there)
    ended = subprocess.run(
        [program, "verify", str(tmp_path / "shop.service")],
        capture_output=True,
        text=True,
        timeout=servers.PATIENCE,
        check=False,
    )
    said = [line for line in ended.stderr.splitlines() if "shop.service" in line]
    assert said == []


def listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def nginx(folder: Path, upstream: str, certificate: Certificate) -> Iterator[int]:
    """Run nginx with the guide's configuration before `upstream`; gives its port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed")
    port = servers.free_port()
    listen = f"listen 127.0.0.1:{port} ssl http2; ssl_certificate {certificate.chain}; "
    example = block("nginx").replace("server 127.0.0.1:8000;", f"server {upstream};")
    example = example.replace("listen 443 ssl http2;", f"{listen} ssl_certificate_key {certificate.key};")
    assert upstream in example
    assert listen in example
    user = "user root;" if os.geteuid() == 0 else ""
    paths = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n{example}}}\n"
    )
    command = [program, "-p", str(folder), "-c", str(config)]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=servers.PATIENCE, check=False)
    assert tried.returncode == 0, tried.stderr
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + servers.PATIENCE
        while not listens(port):
            assert process.poll() is None
            assert time.monotonic() < end
        yield port
    finally:
        process.terminate()
        process.wait(servers.PATIENCE)


@pytest.mark.parametrize("by", ["tcp", "unix"])
def test_behind_nginx_as_the_guide_says(by: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    flags = ("--uds", str(tmp_path / "http.sock")) if by == "unix" else ()
    with servers.data_bridge("proxied:asgi", *flags, "--health", app_dir=APPS) as server:
        upstream = f"unix:{server.path}" if by == "unix" else f"{server.host}:{server.port}"
        with nginx(tmp_path, upstream, authority.issue("front", "localhost", "127.0.0.1")) as port:
            context, other = (ssl.create_default_context(cafile=str(authority.root)) for _ in range(2))
            with httpx.Client(
                base_url=f"https://localhost:{port}", verify=context, http2=True, timeout=servers.PATIENCE
            ) as client:
                for _ in range(20):
                    answer = client.get("/seen")
                    assert answer.http_version == "HTTP/2"
                    assert answer.json()["scheme"] == "https"
                    assert answer.json()["client"] == ["127.0.0.1", 0]
                assert client.post("/seen", content=b"x" * 300_000).status_code == 200
                for probe in ("/livez", "/readyz"):
                    assert client.get(probe).status_code == 200
            with connect(f"wss://localhost:{port}/", ssl=other) as websocket:
                assert json.loads(websocket.recv(timeout=servers.PATIENCE))["scheme"] == "wss"
