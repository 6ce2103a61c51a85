"""The `fastapi` command: `data-bridge` does what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_bridge import cli

if TYPE_CHECKING:
    from collections.abc import Callable

#: What runs; None says that there is no command line.
cli_main: Callable[[], None] | None = cli.main


def main() -> None:
    """Run the command line."""
    if cli_main is None:
        raise RuntimeError("To use the fastapi command, please install data_bridge")
    cli_main()
