"""Extension modules in Rust that tests build themselves, outside of our workspace, as strangers do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: What all of them share, so that their dependencies are compiled once.
TARGET = ROOT / "target" / "modules"


def _run(*command: str) -> None:
    done = _done(*command)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


def _done(*command: str) -> subprocess.CompletedProcess[str]:
    # What `make` exports for our own extension, and what cargo sets for its children, is not a stranger's.
    ours = {"CARGO", "CARGO_TARGET_DIR", "RUSTFLAGS", "PYO3_PYTHON"}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**env, "CARGO_TARGET_DIR": str(TARGET)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


_CASES = ("cargo", "build", "--profile", "quick", "--manifest-path", "tests/native/cases/Cargo.toml")


def cases(folder: Path) -> None:
    """Put `native_cases` into `folder`."""
    _run(*_CASES)
    shutil.copy(TARGET / "quick" / "libnative_cases.so", folder / "native_cases.so")


def refused_cases() -> str:
    """Say what the compiler does of the cases that it refuses."""
    done = _done(*_CASES, "--features", "wrong")
    assert done.returncode != 0, done.stdout
    return done.stdout


def wheel(project: Path, folder: Path, profile: str = "quick") -> None:
    """Build a project's wheel by maturin, and install it into `folder`."""
    wheels = folder / "wheels"
    maturin = str(Path(sys.executable).parent / "maturin")
    python = ("--interpreter", sys.executable, "--compatibility", "linux")
    manifest = str(project / "Cargo.toml")
    _run(maturin, "build", "--quiet", "--profile", profile, *python, "--out", str(wheels), "--manifest-path", manifest)
    built = [str(wheel) for wheel in wheels.iterdir()]
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *built)
    shutil.rmtree(wheels)
