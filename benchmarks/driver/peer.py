"""A peer: how one server is started and what it can answer. Finds the peers: the modules of `benchmarks/peers`."""

import importlib
import pkgutil
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.driver import environment
from benchmarks.driver.machine import ROOT, how_to_install
from benchmarks.driver.process import Server, free_port
from benchmarks.scenarios import SCENARIOS, Scenario

APPS = ROOT / "benchmarks" / "apps"
PYTHON_SCENARIOS = frozenset({"plaintext", "json", "query", "post", "upload", "sleep", "many"})


@dataclass(frozen=True)
class Launch:
    """What a peer's command is built from."""

    app: str  # module of benchmarks/apps
    port: int
    scratch: Path  # a folder of this run's own, for configuration files
    bin: Path = environment.VENV / "bin"

    @property
    def python(self) -> str:
        """The interpreter that all entries share."""
        return str(self.bin / "python")


@dataclass(frozen=True)
class Peer:
    """One entry of the comparison."""

    name: str
    title: str
    command: Callable[[Launch], list[str]]
    scenarios: frozenset[str]
    app: str = ""
    minimal: str = ""  # the smallest app of its kind, for memory and cold start
    modules: tuple[str, ...] = ()  # what must be importable
    tool: str = ""  # what must be on PATH

    def absent(self) -> str | None:
        """Why this entry cannot run here, or None."""
        if self.tool and shutil.which(self.tool) is None:
            return f"{self.tool} is not installed (`{how_to_install(self.tool)}`)"
        reasons = (environment.importable(module) for module in self.modules)
        return next((reason for reason in reasons if reason), None)

    def start(
        self, scratch: Path, *, core: int | None = 0, env: Mapping[str, str] | None = None, app: str = ""
    ) -> Server:
        """Starts the server on a free port; the caller waits for readiness."""
        port = free_port()
        launch = Launch(app or self.app, port, scratch)
        variables = {"PYTHONPATH": str(APPS), **(env or {})}
        return Server(self.command(launch), port=port, cwd=APPS, env=variables, core=core)


def discover() -> dict[str, Peer]:
    """All peers by name, in the order of their files."""
    modules = (
        importlib.import_module(f"benchmarks.peers.{found.name}") for found in pkgutil.iter_modules(peers.__path__)
    )
    return {module.PEER.name: module.PEER for module in modules}


def probe_path(peer: Peer) -> str:
    """The path that says whether the server is ready."""
    return SCENARIOS["plaintext"].path if "plaintext" in peer.scenarios else SCENARIOS["native"].path


def can(peer: Peer, scenario: Scenario) -> bool:
    """Whether the peer is asked this scenario at all."""
    return scenario.name in peer.scenarios
