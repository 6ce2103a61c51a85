"""The part `production`: h2load's report is read as it is written, entries fit together, what is missing is said."""

import sys
import urllib.request
from dataclasses import replace

import pytest
from benchmarks.driver import campaign, h2load, production
from benchmarks.driver.peer import APPS, Peer
from benchmarks.driver.progress import Progress
from benchmarks.driver.wrk import LoadError
from benchmarks.scenarios import SCENARIOS
from benchmarks.targets import TARGETS

from benchmarks import render

H2LOAD = """starting benchmark...
spawning thread #0: 8 total client(s). Timing-based test with 0s of warm-up time and 1s of main duration for measurements.
progress: 100% of clients started
Application protocol: h2c
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.00s, 80969.00 req/s, 3.09MB/s
requests: 80969 total, 81033 started, 80969 done, 80966 succeeded, 3 failed, 2 errored, 0 timeout
status codes: 80966 2xx, 0 3xx, 0 4xx, 1 5xx
traffic: 3.09MB (3239792) total, 712.22KB (729313) headers (space savings 92.03%), 1.00MB (1052597) data
                     min         max         mean         sd        +/- sd
time for request:      142us      8.07ms       761us       487us    95.97%
"""  # noqa: E501 - its own lines
REFUSED = """finished in 1.00s, 0.00 req/s, 0B/s
requests: 0 total, 0 started, 0 done, 0 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 0 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 0B (0) total, 0B (0) headers (space savings 0.00%), 0B (0) data
"""
SERVER = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("line", flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
METHOD = campaign.Method(repeats=3, server_core=None, syscalls=False)


def peer(name, code):
    command = [sys.executable, "-c", code]
    return Peer(name, name, lambda launch: [*command, str(launch.port)], frozenset({"plaintext"}))


class Asking:
    """A client that needs no generator: a load is one question."""

    def __init__(self):
        self.ports = []

    def wait_ready(self, server, path):
        server.wait_ready(path)

    def check(self, scenario, server):
        pass

    def load(self, scenario, port, *, seconds, core):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{scenario.path}").read()
        self.ports.append(port)
        return h2load.Report(1, 1.0, 0, {"status": 0})


def test_h2load_report():
    report = h2load.parse(H2LOAD)
    assert (report.requests, report.rps, report.data, report.errors) == (80969, 80969.0, 1052597, {"status": 3})
    assert report.seconds == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("output", "said"), [(REFUSED, "no answer: requests: 0 total"), ("", "printed nothing"), ("no such\n", "no such")]
)
def test_h2load_without_an_answer_is_an_error(output, said):
    with pytest.raises(LoadError, match=said):
        h2load.parse(output)


def test_entries_are_asked_in_turn_by_the_client_and_what_they_print_is_counted():
    client = Asking()
    found = campaign.run(
        SCENARIOS["plaintext"], [peer("a", SERVER), peer("b", SERVER)], METHOD, Progress(6, "test"), client
    )
    first, second = client.ports[:2]  # the warm-up
    assert client.ports == [first, second] * (METHOD.repeats + 1)
    assert [found[name]["median"]["printed"] for name in ("a", "b")] == [len("line\n")] * 2


def test_an_entry_with_a_client_of_its_own_is_asked_by_it():
    client, own = Asking(), Asking()
    peers = [peer("a", SERVER), peer("b", SERVER)]
    campaign.run(SCENARIOS["plaintext"], peers, METHOD, Progress(6, "test"), client, {"b": own})
    assert (len(client.ports), len(set(client.ports))) == (METHOD.repeats + 1, 1)
    assert (len(own.ports), len(set(own.ports))) == (METHOD.repeats + 1, 1)
    assert own.ports[0] != client.ports[0]


def test_half_of_the_connections_are_half_of_the_scenarios(monkeypatch):
    asked = []
    monkeypatch.setattr("benchmarks.driver.wrk.load", lambda scenario, port, **how: asked.append((scenario, port, how)))
    scenario = SCENARIOS["json"]
    production.Halved().load(scenario, 80, seconds=1, core=0)
    fewer = replace(scenario, connections=scenario.connections // 2)
    assert asked == [(fewer, 80, {"seconds": 1, "core": 0})]


def test_an_entry_that_refuses_its_flags_is_absent_with_the_reason():
    refusing = peer("metrics", "raise SystemExit('error: unrecognized arguments: --metrics')")
    found = campaign.run(SCENARIOS["json"], [refusing], METHOD, Progress(3, "test"))
    assert found["metrics"] == {"absent": "exit code 1: error: unrecognized arguments: --metrics"}


def test_a_tool_that_is_missing_is_named_by_its_package(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "apt-get install nghttp2-client" in production.HTTP2[0].absent()


@pytest.mark.parametrize(("printed", "kept"), [(56.1, True), (5.0, False)])
def test_a_log_without_its_lines_is_not_measured(printed, kept):
    record = {"title": "T", "median": {"printed": printed}}
    found = production.only_if_logged(record)
    assert found == (record if kept else {"absent": "its access log has 5.0 bytes a request"})


def test_groups_name_known_scenarios_and_existing_apps():
    for name, group in production.GROUPS.items():
        names = [entry.name for entry in group.peers]
        assert len(set(names)) == len(names), name
        assert group.scenario in SCENARIOS
        assert set(group.clients) <= set(names), name
        for entry in group.peers:
            assert group.scenario in entry.scenarios, entry.name
            assert (APPS / f"{entry.app}.py").is_file(), entry.name


@pytest.fixture
def found():
    """Every entry measured: those after the first cost twice as much."""
    groups = {
        name: {
            entry.name: {
                "title": entry.title,
                "median": {"cpu_us": 8.0 * (1 + (place > 0)), "rps": 50_000.0, "busy": 0.4},
                "failed": 0,
            }
            for place, entry in enumerate(group.peers)
        }
        for name, group in production.GROUPS.items()
    }
    return {"http": {"scenarios": {}, "production": groups}}


def test_every_target_finds_its_entries(found):
    figures = [target.judge(found)[0] for target in TARGETS]
    assert [figure for figure in figures if figure is not None] == [0.5, 0.5, 0.5, 2.0, 2.0, 2.0]


def test_the_table_shows_figures_and_who_is_absent(found):
    found["http"]["production"]["watched"]["metrics"] = {"absent": "unrecognized arguments: --metrics"}
    text = render.production_table(found)
    assert "| WSGI, 16 threads: Flask on gunicorn | 16.0 | 50,000 | 40% | 0 |" in text
    assert "* metrics (JSON, watched): unrecognized arguments: --metrics" in text


def test_results_without_the_part_keep_what_a_document_has(found):
    del found["http"]["production"]
    document = "<!-- bench:begin production -->\nkept\n<!-- bench:end production -->\n"
    assert render.fill(document, found) == document
