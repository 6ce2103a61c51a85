"""The benchmark's own virtual environment: one CPython, the pinned peers, data_bridge in a release build.

Knows nothing of what is measured. The CPython is a 3.13 unless `BENCH_CPYTHON` names another one, which has an
environment and results of its own: some peers need a newer one.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.driver.machine import ROOT
from benchmarks.driver.progress import say

USUAL = "3.13"
WANTED = os.environ.get("BENCH_CPYTHON", USUAL)
# What the names of another interpreter's files end with.
SUFFIX = "" if WANTED == USUAL else f"-{WANTED}"
VENV = ROOT / f".venv-bench{SUFFIX}"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
ALONE = ROOT / "benchmarks" / "requirements-alone.txt"


# What pip could not install, and why not, by the name of the distribution.
_refused: dict[str, str] = {}


class SetupError(Exception):
    """The environment cannot be made; the message says what is missing and how to get it."""


def prepare(*, python: str | None = None, build: bool = True, profile: str = "release", features: str = "") -> None:
    """Makes `.venv-bench` unless it is there, installs the pins, and builds data_bridge into it.

    What does not build or cannot be installed is said, not raised: the entries that need it are then absent.
    """
    if not PYTHON.exists():
        chosen = find_python(python)
        say(f"set-up: {VENV.name} with {chosen}")
        _run(chosen, "-m", "venv", str(VENV))
    _install(REQUIREMENTS)
    _install(ALONE, "--no-deps")
    if build:
        _build(profile, features)


def find_python(asked: str | None = None) -> str:
    """A CPython of the wanted version: the one asked for, else the first on PATH or under pyenv that really runs."""
    if asked:
        return asked
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    under_pyenv = map(str, sorted(pyenv.glob(f"{WANTED}.*/bin/python")))
    for candidate in (f"python{WANTED}", *under_pyenv, sys.executable):
        path = shutil.which(candidate)
        if path and _version(path) == WANTED:
            return path
    raise SetupError(
        f"no CPython {WANTED} found (every entry runs on the same interpreter): install it, e.g. "
        f"`pyenv install {WANTED}`, or name one with --python"
    )


def versions() -> dict[str, str]:
    """Version of the interpreter and of every distribution in the environment."""
    code = (
        "import json, platform; from importlib.metadata import distributions; "
        "found = {d.name.lower(): d.version for d in distributions()}; "
        "print(json.dumps({'python': platform.python_version(), **found}))"
    )
    found: dict[str, str] = json.loads(_run(str(PYTHON), "-c", code))
    return dict(sorted(found.items()))


@functools.cache
def importable(module: str) -> str | None:
    """None if the environment imports the module, else the last line of the error."""
    done = subprocess.run(
        [str(PYTHON), "-c", f"import {module}"], capture_output=True, text=True, cwd=VENV, check=False
    )
    if done.returncode == 0:
        return None
    refusal = _refused.get(module.replace("_", "-"))
    return f"it cannot be installed: {refusal}" if refusal else done.stderr.strip().splitlines()[-1]


def _install(requirements: Path, *flags: str) -> None:
    """Installs a file's requirements: together, or, where that fails, one by one as far as it goes."""
    pip = (str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", *flags)
    try:
        _run(*pip, "-r", str(requirements))
    except SetupError:
        for line in requirements.read_text().splitlines():
            if line and not line.startswith("#"):
                _install_one(line, pip)


def _install_one(requirement: str, pip: tuple[str, ...]) -> None:
    try:
        _run(*pip, requirement)
    except SetupError as error:
        name = re.split("[<>=;]", requirement)[0]
        _refused[name] = str(error).splitlines()[-1]
        say(f"set-up: {name} cannot be installed: {_refused[name]}")


def _build(profile: str, features: str) -> None:
    wheels = VENV / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    say(f"set-up: data_bridge, profile {profile} (the first release build takes minutes)")
    flags = ["--release"] if profile == "release" else ["--profile", profile]
    flags += ["--features", features] if features else []
    try:
        _run(str(VENV / "bin" / "maturin"), "build", "-q", *flags, "-i", str(PYTHON), "-o", str(wheels))
        wheel = next(wheels.glob("*.whl"))
        _run(str(PYTHON), "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps", str(wheel))
        _run(str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel))
    except SetupError as error:
        say(f"set-up: data_bridge does not build, its entries will be absent:\n{error}")


def _version(python: str) -> str | None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SetupError(f"`{' '.join(command)}` failed:\n{tail}")
    return done.stdout
