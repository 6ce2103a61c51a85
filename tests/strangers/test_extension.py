"""A wheel built with pyo3-async-runtimes, whose futures live on Tokio threads of its own, on our loop."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import require_program

import data_bridge
from data_bridge.loop import Loop

CRATE = Path(__file__).parent / "extension"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The extension module. It is compiled once, and then found in the cargo folder."""
    require_program("cargo")
    folder = tmp_path_factory.mktemp("stranger")
    tag = f"py{sysconfig.get_config_var('py_version_nodot')}"
    environment = {key: value for key, value in os.environ.items() if key not in {"CARGO", "RUSTFLAGS"}}
    environment["CARGO_TARGET_DIR"] = str(ROOT / "target" / tag / "strangers")
    command = [sys.executable, "-m", "maturin", "build", "--quiet", "--locked", "--interpreter", sys.executable]
    command += ["--compatibility", "linux", "--manifest-path", str(CRATE / "Cargo.toml"), "--out", str(folder)]
    subprocess.run(command, check=True, env=environment)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("stranger")
    finally:
        sys.path.remove(str(folder))


def assert_ours() -> None:
    assert isinstance(asyncio.get_running_loop(), Loop)


def test_its_futures_wake_our_loop(stranger: Any) -> None:
    async def main() -> list[int]:
        assert_ours()
        return list(await asyncio.gather(*(stranger.sleep(0.001 * (number % 7), number) for number in range(500))))

    assert data_bridge.run(main()) == list(range(500))


def test_it_awaits_our_coroutines(stranger: Any) -> None:
    async def double(number: int) -> int:
        assert_ours()
        await asyncio.sleep(0.001)
        return number * 2

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("of the coroutine")

    async def main() -> list[int]:
        answers = await asyncio.gather(*(stranger.relay(double(number)) for number in range(100)))
        with pytest.raises(LookupError, match="of the coroutine"):
            await stranger.relay(fail())
        return list(answers)

    assert data_bridge.run(main()) == [number * 2 for number in range(100)]


def test_its_futures_are_cancelled_and_time_out(stranger: Any) -> None:
    async def main() -> None:
        assert_ours()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await stranger.sleep(60, None)
        task = asyncio.ensure_future(stranger.sleep(60, None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    data_bridge.run(main())
