"""Tables and verdicts from results: nothing is hidden, nothing is invented."""

import pytest
from benchmarks.targets import TARGETS, Target, cpu, syscalls

from benchmarks import render


def record(cpu_us, **more):
    median = {
        "cpu_us": cpu_us,
        "rps": 1e6 / cpu_us,
        "busy": 1.0,
        "threads": 1,
        "at_once": 64.0,
        "p50_us": 1500,
        "p99_us": 2500,
        "p999_us": 9000,
    }
    return {"title": "T", "median": median, "rss_idle": 20_000_000, "rss_after": 21_000_000, "failed": 0, **more}


@pytest.fixture
def found():
    plaintext = {
        "asgi_uvicorn": record(
            20.0, title="raw ASGI on uvicorn", syscalls={"recvfrom": 1.0, "sendto": 1.0, "epoll_wait": 1.2}
        ),
        "asgi_data_bridge": record(8.5, title="raw ASGI on data_bridge"),
        "asgi_granian": {"absent": "granian is not there"},
    }
    return {"http": {"scenarios": {"plaintext": plaintext}}}


def test_overview_shows_figures_and_who_is_absent(found):
    text = render.overview(found)
    assert "| raw ASGI on uvicorn | 20.0 |" in text
    assert "| raw ASGI on data_bridge | 8.50 |" in text
    assert "* asgi_granian (GET plaintext): granian is not there" in text


def test_details_show_every_column(found):
    row = next(line for line in render.details(found).splitlines() if line.startswith("| raw ASGI on uvicorn"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "raw ASGI on uvicorn",
        "50,000",
        "1.50",
        "2.50",
        "9.00",
        "64.0",
        "20.0",
        "100%",
        "3.20",
        "1.00",
        "20.0",
        "21.0",
        "0",
    ]


@pytest.mark.parametrize(("limit", "verdict"), [(0.425, "held"), (0.42, "held within 3 %"), (0.41, "**missed**")])
def test_a_ratio_is_judged_with_its_tolerance(found, limit, verdict):
    target = Target("x", limit, cpu("plaintext", "asgi_data_bridge", "asgi_uvicorn"))
    assert target.judge(found) == (pytest.approx(0.425), verdict)


def test_a_count_has_no_tolerance(found):
    assert Target("x", 3.19, syscalls("plaintext", "asgi_uvicorn"), "").judge(found)[1] == "**missed**"


def test_a_figure_that_is_not_there_is_not_held(found):
    assert Target("x", 1.0, cpu("plaintext", "asgi_granian", "asgi_uvicorn")).judge(found) == (None, "not measured")
    lines = render.targets(found).splitlines()
    assert len(lines) == len(TARGETS) + 2
    assert sum("not measured" in line for line in lines) == len(TARGETS) - 1


@pytest.mark.parametrize("figure", [0.3, 0.9])
def test_what_is_missed_is_told_with_what_was_measured(found, monkeypatch, figure):
    measured = Target("x", 0.5, lambda _: figure)
    monkeypatch.setattr(
        render, "TARGETS", [measured, Target("y", 1.0, cpu("plaintext", "asgi_granian", "asgi_uvicorn"))]
    )
    summary, *rows = render.missed(found).splitlines()
    held = "1 of 1 targets that were measured are held."
    assert (summary, rows) == (held, []) if figure == 0.3 else summary.startswith("0 of 1") and len(rows) == 4


def test_fill_renews_what_lies_between_markers_only(found):
    http = "<!-- bench:begin http -->\nold\n<!-- bench:end http -->\n"
    loops = "<!-- bench:begin loops -->\nkept\n<!-- bench:end loops -->\n"
    document = f"a\n{http}b\n{loops}"
    renewed = render.fill(document, found)
    assert "old" not in renewed
    assert "| raw ASGI on uvicorn | 20.0 |" in renewed
    assert "kept" in renewed
    assert (renewed[:2], renewed[-4:]) == ("a\n", "-->\n")
    assert render.fill(renewed, found) == renewed


@pytest.mark.parametrize("name", render.TABLES)
def test_the_markers_of_every_table_are_found(name):
    assert render.MARKERS.findall(f"<!-- bench:begin {name} -->\nold\n<!-- bench:end {name} -->")[0][1] == name


def test_an_unknown_table_is_an_error(found):
    with pytest.raises(SystemExit, match="no table is called 'htp'"):
        render.fill("<!-- bench:begin htp -->\n<!-- bench:end htp -->\n", found)


def test_numbers_have_three_digits():
    assert [render.number(value) for value in (None, 0, 0.314, 5.619, 46.04, 46885.1)] == [
        "–",
        "0",
        "0.31",
        "5.62",
        "46.0",
        "46,885",
    ]
