"""TLS over the loopback, both ends in one loop. The handshake is not measured: one connection carries all messages."""

import ssl

from benchmarks.driver.machine import ROOT
from benchmarks.loop.registry import async_case
from benchmarks.loop.wire import SMALL, ping_pong

# A certificate for localhost with its key; tests use it too.
CERTIFICATE = ROOT / "tests" / "support" / "localhost.pem"


async def _over_tls(n: int, message: bytes) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATE)
    client = ssl.create_default_context(cafile=CERTIFICATE)
    await ping_pong(n, message, server_tls=server, client_tls=client)


@async_case("TLS ping-pong 64 B", 10_000)
async def tls_small(n: int) -> None:
    """Two protocols, one record each way."""
    await _over_tls(n, SMALL)


@async_case("TLS ping-pong 64 KiB", 2_000)
async def tls_large(n: int) -> None:
    """Two protocols, four full records each way."""
    await _over_tls(n, b"x" * (64 << 10))
