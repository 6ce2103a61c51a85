"""TLS over real sockets: clients as users have them, certificates of every kind, limits, ends, what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import requests
from tests.conftest import require_program
from tests.support import servers
from tests.support.certificates import Authority, Certificate
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
PATIENCE = servers.PATIENCE
SERVE = [sys.executable, "-m", "data_bridge", "run", "secured:app", "--port", "0"]


@pytest.fixture(scope="module")
def server(certificate: Certificate) -> Iterator[servers.Server]:
    with servers.data_bridge("secured:app", *certificate.flags, app_dir=APPS) as running:
        yield running


def trusting(authority: Authority, client: Certificate | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.root))
    if client:
        context.load_cert_chain(client.chain, client.key)
    return context


def dial(server: servers.Server, context: ssl.SSLContext, name: str = "localhost") -> ssl.SSLSocket:
    """Shake hands with the server under one of its names."""
    plain = socket.create_connection((server.host, server.port), PATIENCE)
    try:
        return context.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


def ask(connection: ssl.SSLSocket, path: str, *, close: bool = False) -> None:
    end = b"Connection: close\r\n" if close else b""
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path.encode(), end))


def shown(connection: ssl.SSLSocket) -> str:
    """The common name of the certificate that the server showed."""
    certificate: Any = connection.getpeercert()
    return next(value for part in certificate["subject"] for key, value in part if key == "commonName")


def everything(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_httpx_requests_aiohttp_and_curl(server: servers.Server, authority: Authority) -> None:
    content = os.urandom(1_000_000)
    with httpx.Client(verify=trusting(authority), base_url=server.url, timeout=PATIENCE) as client:
        assert client.get("/").text == "hello"
        assert client.post("/echo", content=content).content == content
    with requests.Session() as session:
        session.trust_env = False  # REQUESTS_CA_BUNDLE would take the place of `verify`
        session.verify = str(authority.root)
        assert session.get(server.url, timeout=PATIENCE).text == "hello"
        assert session.post(server.url + "/echo", data=content, timeout=PATIENCE).content == content

    async def talk() -> bytes:
        connector = aiohttp.TCPConnector(ssl=trusting(authority))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(server.url + "/echo", data=content) as answer,
        ):
            return await answer.read()

    assert asyncio.run(talk()) == content
    command = [require_program("curl"), "-sS", "--cacert", str(authority.root), server.url]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"hello"


def test_wss_and_its_scope(server: servers.Server, authority: Authority) -> None:
    url = server.url.replace("https", "wss")
    with connect(url, ssl=trusting(authority)) as conversation:
        seen = json.loads(conversation.recv())
        assert (seen["scheme"], seen["tls"]["tls_version"]) == ("wss", 0x0304)
        conversation.send("x" * 200_000)
        assert len(conversation.recv()) == 200_000


def test_the_tls_extension_of_the_scope(server: servers.Server, authority: Authority, certificate: Certificate) -> None:
    with httpx.Client(verify=trusting(authority)) as client:
        seen = client.get(server.url + "/scope").json()
    assert seen["scheme"] == "https"
    tls = seen["tls"]
    leaf = ssl.PEM_cert_to_DER_cert(certificate.chain.read_text().split("-----END")[0] + "-----END CERTIFICATE-----\n")
    assert ssl.PEM_cert_to_DER_cert(tls["server_cert"]) == leaf
    assert (tls["client_cert_chain"], tls["client_cert_name"], tls["client_cert_error"]) == ([], None, None)
    assert (tls["tls_version"], tls["cipher_suite"] >> 8) == (0x0304, 0x13)


def test_a_plain_request_is_told_to_use_tls(server: servers.Server) -> None:
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 10_000)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"use https://" in answer
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(b"\x05\x01\x00")
        assert everything(connection) == b""


@pytest.mark.parametrize(
    ("flag", "spoken"), [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)]
)
def test_versions(server: servers.Server, authority: Authority, flag: str, spoken: bool) -> None:
    said = s_client(server, authority, flag, "-cipher", "ALL:@SECLEVEL=0", given="Q\n")
    assert ("Cipher is (NONE)" not in said) is spoken, said


@pytest.mark.parametrize(
    ("cipher", "spoken"),
    [
        ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
        ("ECDHE-ECDSA-AES128-SHA", False),
        ("ECDHE-ECDSA-AES128-SHA256", False),
        ("ECDHE-ECDSA-NULL-SHA", False),
        ("AES128-GCM-SHA256", False),
        ("DHE-RSA-AES128-GCM-SHA256", False),
        ("AECDH-AES128-SHA", False),
    ],
)
def test_cipher_suites(server: servers.Server, authority: Authority, cipher: str, spoken: bool) -> None:
    said = s_client(server, authority, "-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", given="Q\n")
    assert ("Verify return code: 0 (ok)" in said and f"Cipher is {cipher}" in said) is spoken, said


def test_renegotiation_is_refused(server: servers.Server, authority: Authority) -> None:
    said = s_client(server, authority, "-tls1_2", given="R\n")
    assert "RENEGOTIATING" in said
    assert "no renegotiation" in said
    with httpx.Client(verify=trusting(authority)) as client:
        assert client.get(server.url).text == "hello"


def s_client(server: servers.Server, authority: Authority, *flags: str, given: str) -> str:
    command = [require_program("openssl"), "s_client", "-connect", f"{server.host}:{server.port}"]
    command += ["-servername", "localhost", "-CAfile", str(authority.root), *flags]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, input=given, timeout=PATIENCE)
    return ended.stdout + ended.stderr


def test_sessions_resume(server: servers.Server, authority: Authority) -> None:
    context = trusting(authority)
    with dial(server, context) as first:
        ask(first, "/")
        first.recv(1000)
        session = first.session
    plain = socket.create_connection((server.host, server.port), PATIENCE)
    with context.wrap_socket(plain, server_hostname="localhost", session=session) as second:
        assert second.session_reused


def test_the_server_ends_with_close_notify(server: servers.Server, authority: Authority) -> None:
    with dial(server, strict(authority)) as connection:
        ask(connection, "/", close=True)
        assert b"hello" in everything(connection)  # an end without close_notify would raise


def test_the_client_ends_with_close_notify(server: servers.Server, authority: Authority) -> None:
    with dial(server, strict(authority)) as connection:
        ask(connection, "/")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        connection.unwrap().close()


def test_a_broken_response_ends_without_close_notify(server: servers.Server, authority: Authority) -> None:
    with dial(server, strict(authority)) as connection:
        ask(connection, "/broken")
        with pytest.raises(ssl.SSLError, match="EOF"):
            everything(connection)


def strict(authority: Authority) -> ssl.SSLContext:
    """A context for which a FIN without close_notify is an error."""
    context = trusting(authority)
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


def test_a_certificate_for_each_name(authority: Authority) -> None:
    first = authority.issue("first", "first.test")
    second = authority.issue("second", "second.test", "*.second.test", kind="rsa")
    flags = ("--ssl-certfile", f"{first.chain},{second.chain}", "--ssl-keyfile", f"{first.key},{second.key}")
    context = trusting(authority)
    with servers.data_bridge("secured:app", *flags, app_dir=APPS) as server:
        for name, expected in (("first.test", "first"), ("second.test", "second"), ("a.second.test", "second")):
            with dial(server, context, name) as connection:
                assert shown(connection) == expected
        context.check_hostname = False
        for other in ("other.test", "127.0.0.1"):
            with dial(server, context, other) as connection:
                assert shown(connection) == "first"


def test_clients_have_to_show_a_certificate(authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    client = authority.issue("client", subject="/C=DE/O=Tests, Inc/CN=client one")
    stranger = Authority(tmp_path, "foreign").issue("stranger")
    flags = (*certificate.flags, "--ssl-ca-certs", str(authority.root), "--ssl-cert-reqs", "required")
    with servers.data_bridge("secured:app", *flags, app_dir=APPS) as server:
        with httpx.Client(verify=trusting(authority, client)) as known:
            tls = known.get(server.url + "/scope").json()["tls"]
        assert tls["client_cert_name"] == "CN=client one,O=Tests\\, Inc,C=DE"
        assert len(tls["client_cert_chain"]) == 2
        for other in (None, stranger):
            with httpx.Client(verify=trusting(authority, other)) as unknown, pytest.raises(httpx.TransportError):
                unknown.get(server.url)


def test_clients_may_show_a_certificate(authority: Authority, certificate: Certificate, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "foreign").issue("stranger")
    flags = (*certificate.flags, "--ssl-ca-certs", str(authority.root), "--ssl-cert-reqs", "optional")
    with servers.data_bridge("secured:app", *flags, app_dir=APPS) as server:
        with httpx.Client(verify=trusting(authority)) as none:
            assert none.get(server.url + "/scope").json()["tls"]["client_cert_name"] is None
        with httpx.Client(verify=trusting(authority, stranger)) as wrong, pytest.raises(httpx.TransportError):
            wrong.get(server.url)


def test_an_encrypted_key(authority: Authority, certificate: Certificate) -> None:
    sealed = authority.encrypt(certificate, "open sesame")
    flags = (*sealed.flags, "--ssl-keyfile-password", "open sesame")
    with (
        servers.data_bridge("secured:app", *flags, app_dir=APPS) as server,
        httpx.Client(verify=trusting(authority)) as client,
    ):
        assert client.get(server.url).text == "hello"


def test_mistakes_are_explained_before_the_start(
    authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    sealed, other = authority.encrypt(certificate, "secret"), authority.issue("other", "other.test")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    chain, root = str(certificate.chain), str(authority.root)
    cases = (
        (sealed.flags, "sealed is encrypted: a password is needed (ssl_keyfile_password)"),
        ((*sealed.flags, "--ssl-keyfile-password", "wrong"), "the password is wrong"),
        (("--ssl-certfile", chain, "--ssl-keyfile", str(other.key)), f"other.key is not the private key of {chain}"),
        (("--ssl-certfile", chain), "server.pem holds no private key"),
        (("--ssl-certfile", str(empty)), "empty.pem holds no certificate"),
        (("--ssl-certfile", "/no/such.pem"), "/no/such.pem cannot be read"),
        (("--ssl-certfile", f"{chain},{chain}", "--ssl-keyfile", str(other.key)), "1 file(s) for 2 of ssl_certfile"),
        ((*certificate.flags, "--ssl-cert-reqs", "required"), "set ssl_ca_certs"),
        (("--ssl-ca-certs", root), "set ssl_certfile"),
    )
    with ThreadPoolExecutor(3) as pool:
        run = pool.map(
            lambda case: subprocess.run(
                [*SERVE, *case[0]], cwd=APPS, check=False, capture_output=True, text=True, timeout=PATIENCE
            ),
            cases,
        )
        for (_, said), ended in zip(cases, run, strict=True):
            assert ended.returncode == 2, ended.stderr
            assert said in ended.stderr


@pytest.mark.parametrize("how", ["hangup", "change"])
def test_certificates_are_read_anew(authority: Authority, tmp_path: Path, how: str) -> None:
    old, new = authority.issue("old", "localhost"), authority.issue("new", "localhost")
    used = Certificate(tmp_path / "used.pem", tmp_path / "used.key")
    context = trusting(authority)

    def put(certificate: Certificate) -> None:
        """As an ACME client does it: whole files take the places of the old ones."""
        for source, target in ((certificate.key, used.key), (certificate.chain, used.chain)):
            made = target.with_suffix(".made")
            made.write_bytes(source.read_bytes())
            made.rename(target)

    put(old)
    patient = ("--header-timeout", "600")
    with (
        servers.data_bridge("secured:app", *used.flags, *patient, app_dir=APPS) as server,
        dial(server, context) as kept,
    ):
        assert shown(kept) == "old"
        put(new)
        if how == "hangup":
            server.process.send_signal(signal.SIGHUP)
        until(lambda: showing(server, context) == "new")
        used.key.write_text("not a key")
        until(lambda: showing(server, context) == "new" and "stay as they were" in server.output)
        put(old)
        until(lambda: showing(server, context) == "old")
        ask(kept, "/")
        assert b"hello" in kept.recv(1000)
        assert server.stop() == 0
    assert "certificates were read anew" in server.output


def showing(server: servers.Server, context: ssl.SSLContext) -> str:
    with dial(server, context) as connection:
        return shown(connection)


def until(condition: Any) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_handshake_that_does_not_come_is_cut(authority: Authority, certificate: Certificate) -> None:
    flags = (*certificate.flags, "--ssl-handshake-timeout", "3", "--header-timeout", "600")
    with (
        servers.data_bridge("secured:app", *flags, app_dir=APPS) as server,
        httpx.Client(verify=trusting(authority), base_url=server.url, timeout=PATIENCE) as client,
    ):
        assert client.get("/").text == "hello"
        silent = [socket.create_connection((server.host, server.port), PATIENCE) for _ in range(20)]
        halves = [socket.create_connection((server.host, server.port), PATIENCE) for _ in range(20)]
        for half in halves:
            half.sendall(b"\x16\x03\x01\x02\x00\x01")
        for connection in silent + halves:
            assert everything(connection) == b""
            connection.close()
        assert client.get("/").text == "hello"


def test_a_stop_takes_leave_of_idle_connections(authority: Authority, certificate: Certificate) -> None:
    with (
        servers.data_bridge("secured:app", *certificate.flags, app_dir=APPS) as server,
        dial(server, strict(authority)) as idle,
        socket.create_connection((server.host, server.port), PATIENCE) as silent,
    ):
        ask(idle, "/scope")
        idle.recv(65536)
        assert server.stop() == 0
        assert everything(idle) == b""  # an end without close_notify would raise
        with contextlib.suppress(ConnectionResetError):  # it may not have been accepted yet
            assert everything(silent) == b""
