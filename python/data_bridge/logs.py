"""Logging of a served app: levels, colours on a terminal only, or the user's own configuration file."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from . import request_ids

if TYPE_CHECKING:
    from .settings import Settings

COLOURS = {"DEBUG": 36, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 91}
LEVELS = {"critical": 50, "error": 40, "warning": 30, "info": 20, "debug": 10}


class Formatter(logging.Formatter):
    """``INFO:     [request's id] message``, the level in colour on a terminal, the id where there is one."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__("%(message)s")
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        name = record.levelname
        shown = f"\x1b[{COLOURS.get(name, 0)}m{name}\x1b[0m" if self._colour else name
        request = request_ids.current.get()
        named = f"[{request}] " if request else ""
        return f"{shown}:{' ' * (9 - len(name))}{named}{super().format(record)}"


def configure(settings: Settings) -> None:
    """Set up the loggers ``data_bridge``, ``data_bridge.error`` and ``data_bridge.access``. Raises ``ValueError``."""
    if settings.log_level not in LEVELS:
        raise ValueError(f"log_level must be one of {', '.join(LEVELS)}, not {settings.log_level!r}")
    if settings.log_config:
        _from_file(Path(settings.log_config))
        return
    server, access = logging.getLogger("data_bridge"), logging.getLogger("data_bridge.access")
    server.setLevel(LEVELS[settings.log_level])
    _stream_to(server, sys.stderr, settings)
    _stream_to(access, sys.stdout, settings)
    access.disabled = not settings.access_log


def _stream_to(logger: logging.Logger, stream: TextIO, settings: Settings) -> None:
    if logger.handlers:
        return
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(colour=_coloured(stream, settings)))
    logger.addHandler(handler)
    logger.propagate = False


def _coloured(stream: TextIO, settings: Settings) -> bool:
    if settings.use_colors is not None:
        return settings.use_colors
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _from_file(path: Path) -> None:
    import json  # noqa: PLC0415 - with the next one 5 ms of every start that only this needs
    import logging.config  # noqa: PLC0415

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"log_config: cannot read {path}: {error.strerror}") from None
    try:
        if path.suffix == ".json":
            logging.config.dictConfig(json.loads(text))
        elif path.suffix in (".yaml", ".yml"):
            logging.config.dictConfig(_yaml(text))
        else:
            logging.config.fileConfig(path, disable_existing_loggers=False)
    except Exception as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise ValueError(f"log_config: {path}: {error}{cause}") from error


def _yaml(text: str) -> dict[str, Any]:
    try:
        import yaml  # noqa: PLC0415 - only where a YAML file is given
    except ImportError:
        raise ValueError("a YAML file needs the package PyYAML (pip install pyyaml)") from None
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded
