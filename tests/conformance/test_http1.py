"""Raw HTTP/1.1 on a socket, case by case: `http1/probe.py` sends and judges, this file runs it against our server.

A verdict in capitals is a failure; `probe.py` says what the letters mean, each case carries its reason.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.conformance.http1 import probe
from tests.support import servers

HTTP1 = Path(__file__).parent / "http1"

#: Those that came with the probe, and those that we wrote.
CASES = [*probe.CASES, *probe.load("own_cases.json")]

Verdicts = dict[str, tuple[str, str, str]]


@pytest.fixture(scope="module")
def verdicts() -> Verdicts:
    """What our server did with each case: verdict, statuses, first bytes. All are sent at once: most are waits.

    What fails is tried a second time, with a longer silence for an end: the machine may have been busy.
    """
    with servers.data_bridge("asgi_echo:app", "--no-access-log", app_dir=HTTP1) as server:
        found: Verdicts = asyncio.run(probe.probe(server.port, CASES, probe.IDLE, response=True))
        failed = {name for name, (verdict, *_) in found.items() if not verdict.islower()}
        again = [case for case in CASES if case.id in failed]
        responses = any(name.startswith("resp-") for name in failed)
        return found | asyncio.run(probe.probe(server.port, again, 10 * probe.IDLE, response=responses))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.level}-{case.id}")
def test_request(verdicts: Verdicts, case: probe.Case) -> None:
    verdict, seen, answer = verdicts[case.id]
    assert verdict.islower(), f"{case.why} (expected: {case.expect}; seen: {verdict} {seen}; {answer!r})"


@pytest.mark.parametrize(("name", "why"), [pytest.param(name, why, id=name) for name, _, why in probe.RESPONSE_CASES])
def test_response(verdicts: Verdicts, name: str, why: str) -> None:
    verdict, seen, answer = verdicts[f"resp-{name}"]
    assert verdict.islower(), f"{why} (seen: {verdict} {seen}; {answer!r})"
