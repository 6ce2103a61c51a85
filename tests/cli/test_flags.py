"""Flags under the names that uvicorn and gunicorn give them, and where the guide tells of those that there are not."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from granian.cli import cli as granian
from uvicorn.main import main as uvicorn

from data_bridge import cli, foreign_flags, settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "flags.md"


def ours() -> str:
    """What `data-bridge run --help` says."""
    with contextlib.redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit):
        cli.main(["run", "--help"])
    return shown.getvalue()


@pytest.mark.parametrize("command", [uvicorn, granian], ids=["uvicorn", "granian"])
def test_every_flag_of_others_is_understood_or_told_of(command: object) -> None:
    understood = set(ours().replace(",", " ").replace("]", " ").split())
    theirs = {
        flag
        for option in command.params  # type: ignore[attr-defined]
        for flag in (*option.opts, *option.secondary_opts)
        if flag.startswith("--")
    }
    assert sorted(theirs - {"--version", "--no-reload"} - understood - foreign_flags.ELSEWHERE.keys()) == []


def test_the_table_of_the_docs_is_what_the_command_line_says() -> None:
    assert foreign_flags.table() in PAGE.read_text(encoding="utf-8")


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("run app:app --wokers 4", "there is no --wokers; did you mean --workers?"),
        ("run app:app --loop uvloop", "there is no --loop: there is one of its kind here; leave it out"),
        ("run app:app --http=h11 --port 1", "there is no --http: HTTP/1.1 and HTTP/2 are both served; "),
        ("run app:app --nothing-of-the-kind", "there is no --nothing-of-the-kind (see data-bridge run --help)"),
        ("run app:app 8000", "'8000' is one argument too many"),
        ("run app:app --port many", "--port: must be a whole number, not 'many'"),
        ("run app:app --write-timeout 1s", "--write-timeout: must be a number, not '1s'"),
        ("run app:app --interface rsgi", "--interface: invalid choice: 'rsgi'"),
        ("run app:app --work 4", "there is no --work; did you mean"),
        ("app:app", "'app:app' is no command; did you mean data-bridge run app:app?"),
        ("run", "required: MODULE:APP (see data-bridge run --help)"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = refusal(capsys, *arguments.split())
    assert shown.startswith(f"data-bridge: error: {said}") or said in shown
    assert shown.count("\n") == 1


def test_several_unknown_flags_are_told_of_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = refusal(capsys, *["run", "app:app", "--loop", "uvloop", "--ws", "websockets", "--http-2"])
    assert [line.split(":")[2].split(";")[0] for line in shown.splitlines()] == [
        " there is no --loop",
        " there is no --ws",
        " there is no --http-2",
    ]


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
        ("--backpressure 5 --workers-kill-timeout 7", {"limit_concurrency": 5, "graceful_timeout": 7.0}),
        ("--h11-max-incomplete-event-size 9000 --no-use-colors", {"max_header_bytes": 9000, "use_colors": False}),
        ("--interface asgi3 --ssl-cert-reqs 0", {"interface": "asgi", "ssl_cert_reqs": "none"}),
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
