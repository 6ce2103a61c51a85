"""Every setting can be given in three ways: as a flag, by the environment, to `serve()`.

What each of them does is for other tests: limits and time-outs stand in `tests/http/test_limits.py`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest

from data_bridge import cli, settings

KINDS = get_type_hints(settings.Settings)
NAMES = [item.name for item in fields(settings.Settings)]

#: What goes with a setting that means nothing alone, and values that are no numbers.
BESIDE = {
    "ssl_keyfile": {"ssl_certfile": "chain.pem"},
    "ssl_ca_certs": {"ssl_certfile": "chain.pem"},
    "ssl_cert_reqs": {"ssl_certfile": "chain.pem", "ssl_ca_certs": "ca.pem"},
}


#: Values of settings that do not take any text.
VALUES = {
    "bind": ("127.0.0.1:1", "127.0.0.1:2"),
    "uds_permissions": "660",
    "metrics_path": "/figures",
    "static": ("/one=.", "/two=."),
    "static_path_mount": (".",),
    "request_id_header": "X-Trace",
    "forwarded_allow_ips": ("10.0.0.0/8", "::1"),
}


def another(name: str) -> Any:
    """A value that is not the default."""
    if name in VALUES:
        return VALUES[name]
    kind, default = KINDS[name], getattr(settings.Settings(), name)
    if kind in (bool, bool | None):
        return not default
    if kind in (int, float, int | None):
        return (default or 0) + 1
    if kind == settings.Texts:
        return ("one", "two")
    return next((choice for choice in get_args(kind) if isinstance(choice, str) and choice != default), "other")


def flags(name: str, value: Any) -> list[str]:
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    return [text for one in (value if isinstance(value, tuple) else (value,)) for text in (flag, str(one))]


def as_text(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[settings.Settings]:
    """What the command line would serve by."""
    found: list[settings.Settings] = []
    monkeypatch.setattr(cli, "serve_as_set", lambda _app, chosen: found.append(chosen))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_three_ways(name: str, seen: list[settings.Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    value, beside = another(name), BESIDE.get(name, {})
    more = [text for key, given in beside.items() for text in flags(key, given)]
    expected = settings.Settings(**{**beside, name: value})
    cli.main(["run", "module:app", *flags(name, value), *more])
    assert settings.chosen({**beside, name: value}) == expected
    monkeypatch.setenv(settings.environment_name(name), as_text(value))
    cli.main(["run", "module:app", *more])
    assert settings.chosen(beside) == expected
    assert seen == [expected, expected]
    assert getattr(expected, name) != getattr(settings.Settings(), name)
