"""The generator's and the tracer's output is read as they write it."""

import pytest
from benchmarks.driver import strace, wrk

WRK = """Running 2s test @ http://127.0.0.1:40123/plaintext
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.33ms  250.10us   8.02ms   91.12%
    Req/Sec    47.21k     1.02k   48.90k    75.00%
  93917 requests in 2.00s, 13.88MB read
Requests/sec:  46885.12
Transfer/sec:      6.93MB
REPORT {"requests":93917,"bytes":14556,"seconds":2.003112,"mean_us":1330.5,\
"p50_us":1330.0,"p99_us":2690.0,"p999_us":4190.0,"max_us":8020.0,\
"errors":{"connect":1,"read":2,"write":3,"status":4,"timeout":5}}
"""

STRACE = """    calls syscall
--------- ----------------
    13580 recvfrom
    13581 sendto
        2 epoll_ctl
      425 epoll_wait
--------- ----------------
    27588 total
"""


def test_wrk_report():
    report = wrk.parse(WRK)
    assert report.requests == 93917
    assert report.rps == pytest.approx(93917 / 2.003112)
    assert report.at_once == pytest.approx(62.4, abs=0.1)
    assert (report.p50_us, report.p99_us, report.p999_us, report.max_us) == (1330.0, 2690.0, 4190.0, 8020.0)
    assert report.failed == 15
    assert report.as_json()["errors"] == {"connect": 1, "read": 2, "write": 3, "status": 4, "timeout": 5}


def test_wrk_that_fails_says_what_it_printed():
    with pytest.raises(wrk.LoadError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_more_sockets_than_the_system_allows_are_refused_in_words():
    with pytest.raises(wrk.LoadError, match="hard limit"):
        wrk.raise_file_limit(1 << 62)


def test_strace_summary_is_ordered_and_has_no_total():
    assert list(strace.parse(STRACE).items()) == [
        ("sendto", 13581),
        ("recvfrom", 13580),
        ("epoll_wait", 425),
        ("epoll_ctl", 2),
    ]
