"""Shared by all tests: what is missing on this machine is skipped and said, or fails where skips are forbidden."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
import websockets.asyncio.client
import websockets.sync.client
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from tests.support.servers import PATIENCE

if TYPE_CHECKING:
    from tests.support.certificates import Authority, Certificate

# httpx gives up after five seconds where a test says nothing; a busy machine may need them.
for phase in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, phase, PATIENCE)

# Clients of websockets do so after ten.
for begin in (websockets.sync.client.connect, websockets.asyncio.client.connect.__init__):
    begin.__kwdefaults__.update(dict.fromkeys(("open_timeout", "ping_timeout", "close_timeout"), PATIENCE))

# A shell starts what runs in its background with SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FORBID_SKIPS = bool(os.environ.get("DATA_BRIDGE_FORBID_SKIPS"))


def require_program(name: str, path: str | None = None) -> str:
    """The path of a server or tool that a test needs, from PATH or from the folders given like it."""
    found = shutil.which(name, path=path)
    if found:
        return found
    message = f"{name} is not installed"
    if FORBID_SKIPS:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of one module's tests."""
    from tests.support import certificates  # which asks for its program by what stands above

    return certificates.Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    """This machine's, as servers show it."""
    return authority.issue("server", "localhost", "127.0.0.1")
