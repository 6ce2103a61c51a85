"""Are the answers equal? Every peer's status, media type and body are compared before anything is timed."""

import http.client

from benchmarks.driver.process import Server
from benchmarks.scenarios import Scenario


class UnequalError(Exception):
    """A peer answered something else; timing it would compare different work."""


def check(scenario: Scenario, server: Server) -> None:
    """Asks once and compares with what the scenario expects."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        headers = {**scenario.headers, **({"Content-Type": scenario.sends} if scenario.body else {})}
        connection.request(scenario.method, scenario.path, scenario.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnequalError(f"no answer to {scenario.path}: {error!r}") from error
    finally:
        connection.close()
    media_type = (answer.getheader("content-type") or "").partition(";")[0]
    found = (answer.status, media_type, body)
    if found != (200, scenario.answers, scenario.expected):
        raise UnequalError(f"{scenario.path} answered {answer.status} {media_type} {body[:120]!r}")
