"""Flags under the names that uvicorn and gunicorn give them, and where the guide tells of those that there are not."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from uvicorn.main import main as uvicorn

from data_bridge import cli, settings

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "deployment.md"


def ours() -> str:
    """What `data-bridge run --help` says."""
    with contextlib.redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    return shown.getvalue()


def test_every_flag_of_uvicorn_is_understood_or_told_of() -> None:
    understood, guide = set(ours().replace(",", " ").replace("]", " ").split()), GUIDE.read_text()
    theirs = {flag for option in uvicorn.params for flag in option.opts if flag.startswith("--")}
    theirs -= {"--version"}
    missing = sorted(flag for flag in theirs - understood if f"`{flag}`" not in guide)
    assert missing == []


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("-b 127.0.0.1:1 -b [::1]:2 -w 3", {"bind": ("127.0.0.1:1", "[::1]:2"), "workers": 3}),
        ("--limit-max-requests 5 --limit-max-requests-jitter 2", {"max_requests": 5, "max_requests_jitter": 2}),
        ("--reload-dir one --reload-dir two", {"reload_dirs": ("one", "two")}),
        (
            "--reload-include *.html --reload-exclude a,b",
            {"reload_includes": ("*.html",), "reload_excludes": ("a", "b")},
        ),
        ("--timeout-worker-healthcheck 7", {"worker_timeout": 7.0}),
        ("--pid-file x --blocking-threads 4", {"pidfile": "x", "threads": 4}),
        ("--certfile c --keyfile k", {"ssl_certfile": "c", "ssl_keyfile": "k"}),
    ],
)
def test_other_names_mean_the_same(flags: str, expected: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[settings.Settings] = []
    monkeypatch.setattr(cli, "serve_as_set", lambda _app, chosen: seen.append(chosen))
    cli.main(["run", "module:app", *flags.split()])
    assert seen == [settings.Settings(**expected)]  # type: ignore[arg-type]


def test_help_stands_in_groups() -> None:
    shown = ours()
    for group in dict.fromkeys(item.metadata["group"] for item in settings.fields(settings.Settings)):
        assert f"\n{group}:\n" in shown
