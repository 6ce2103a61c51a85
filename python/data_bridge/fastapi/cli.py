"""The `fastapi` command: `data-bridge` does what it does."""

from __future__ import annotations

from data_bridge.cli import main as cli_main


def main() -> None:
    """Run the command line."""
    if not cli_main:
        raise RuntimeError("To use the fastapi command, please install data_bridge")
    cli_main()
