"""Page views of access logs: real ones from elsewhere, small ones by hand, and noise."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Capture, Context, Files, LayoutChanged, NotCounted, PageViews, Parsed, Referrer, SiteViews
from monitor.sources.page_views.access_log import AccessLog
from monitor.sources.page_views.rule import REASONS
from tests.conftest import PAGES

Cases = Callable[[str], Path]
CTX = Context(now=datetime(2026, 3, 4, 12, tzinfo=UTC), day=date(2026, 3, 4))
MARCH_2, MARCH_3 = date(2026, 3, 2), date(2026, 3, 3)
LINE = b'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11) Firefox/140.0"\n'


def parse(body: bytes, source: AccessLog | None = None) -> Parsed:
    return (source or AccessLog()).parse(Capture(body, place="access.log 0-9"), CTX)


def page(name: str) -> bytes:
    return (PAGES / "access_log" / name).read_bytes()


def totals(parsed: Parsed) -> dict[str, int]:
    return {one.day.isoformat(): one.views for one in parsed.records if isinstance(one, SiteViews)}


def left_out(parsed: Parsed) -> Counter[str]:
    lines: Counter[str] = Counter()
    for one in parsed.records:
        if isinstance(one, NotCounted):
            lines[one.reason] += one.lines
    return lines


# INDEX.md of the cases counts by two other programs (column L: the same list of bots). Where a number differs from L,
# the rule of docs/page-views.md says so: it leaves out wp-login.php and xmlrpc.php, which L takes for pages.
REAL = [
    ("elastic_apache_combined.log", {"2015-05-17": 270, "2015-05-18": 496, "2015-05-19": 588, "2015-05-20": 412}, 1766),
    ("advertools_nginx_access.log", {"2021-11-12": 62, "2021-11-21": 58, "2021-11-22": 26}, 146),
    ("advertools_combined_no_errors.log", {"2015-05-17": 264}, 264),
    ("advertools_combined_latin1_enc.log", {"2023-11-03": 33}, 38 - 5),  # 5 lines of scanners after WordPress
    ("ocatak_acunetix.log", {"2016-12-22": 561}, 562 - 1),  # /%2e%2e is /.. once decoded, and no page
    ("ocatak_w3af.log", {"2016-12-22": 430, "2016-12-23": 15}, 445),
    ("awstats_testglobal.log", {"2001-01-01": 25}, 25),
    ("awstats_testsmall.log", {"2001-01-01": 3}, 3),
    ("own_nginx_combined.log", {"2026-11-22": 7}, 7),
    ("own_apache_combined.log", {"2026-11-22": 7}, 7),
    ("own_wordpress_nginx_combined.log", {"2026-11-22": 4}, 7 - 3),  # wp-login.php, wp-cron.php, ?rest_route=
]


@pytest.mark.parametrize(("name", "days", "total"), REAL, ids=[name for name, *_ in REAL])
def test_real_logs(cases: Cases, name: str, days: dict[str, int], total: int) -> None:
    body = cases(f"page-views/{name}").read_bytes()
    parsed = parse(body)
    assert totals(parsed) == days
    assert sum(days.values()) == total
    lines = [line for line in body.split(b"\n") if line.strip() and not line.startswith(b"#")]
    assert total + sum(left_out(parsed).values()) == len(lines), "every line is a view or left out for one reason"


FOREIGN = """advertools_nginx_custom_date.log awstats_testnginx.log awstats_testtime5.log matomo_common_vhost.log
    matomo_haproxy.log matomo_nginx_json.log"""


@pytest.mark.parametrize("name", FOREIGN.split())
def test_an_unknown_format_is_never_zero_views(cases: Cases, name: str) -> None:
    with pytest.raises(LayoutChanged, match="unknown_format"):
        parse(cases(f"page-views/{name}").read_bytes())


def test_an_own_date_is_an_unknown_format() -> None:
    with pytest.raises(LayoutChanged) as caught:
        parse(page("own_date.log"))
    assert caught.value.reason == "unknown_format"


def test_nginx_by_hand() -> None:
    parsed = parse(page("nginx.log"), AccessLog(hosts=("www.example.org",)))
    assert parsed.increments
    assert [one for one in parsed.records if isinstance(one, SiteViews)] == [
        SiteViews(MARCH_2, 8, feed_views=2),
        SiteViews(MARCH_3, 1, feed_views=0),
    ]
    assert {(one.day, one.path): one.views for one in parsed.records if isinstance(one, PageViews)} == {
        (MARCH_2, "/"): 1,
        (MARCH_2, "/?p=12"): 1,
        (MARCH_2, "/about/"): 1,
        (MARCH_2, "/café/"): 1,
        (MARCH_2, "/hello/"): 4,
        (MARCH_3, "/"): 1,
    }
    assert {one for one in parsed.records if isinstance(one, Referrer)} == {
        Referrer(MARCH_2, "-", "direct", 1),
        Referrer(MARCH_2, "linkedin.com", "social", 4),
        Referrer(MARCH_2, "google.com", "search", 1),
        Referrer(MARCH_2, "example.org", "internal", 1),
        Referrer(MARCH_2, "chatgpt.com", "ai", 1),
        Referrer(MARCH_3, "-", "direct", 1),
    }
    assert left_out(parsed) == {"method": 3, "status": 4, "noise": 3, "feed": 3, "not_a_page": 1, "bot": 4}


def test_apache_by_hand() -> None:
    parsed = parse(page("apache.log"))
    paths = {one.path: one.views for one in parsed.records if isinstance(one, PageViews)}
    assert paths == {"/search": 1, '/say-\\"hi\\"/': 1, "/extra/": 1, "/raw-\\xe9/": 1}
    assert left_out(parsed) == {"unparsed": 2}


def test_own_host_is_only_known_when_told() -> None:
    line = LINE.replace(b'"-"', b'"https://example.org/"')
    assert Referrer(MARCH_2, "example.org", "other", 1) in parse(line).records
    assert Referrer(MARCH_2, "example.org", "internal", 1) in parse(line, AccessLog(hosts=("Example.org",))).records
    absolute = LINE.replace(b"GET /", b"GET http://www.example.org/x/")
    assert totals(parse(absolute)) == {"2026-03-02": 0}
    assert totals(parse(absolute, AccessLog(hosts=("example.org",)))) == {"2026-03-02": 1}


def test_an_unreadable_line_goes_to_the_day_of_the_line_before() -> None:
    parsed = parse(b"garbage\n" + LINE + b"garbage\n" + LINE.replace(b"02/Mar", b"31/Feb"))
    assert {(one.day, one.lines) for one in parsed.records if isinstance(one, NotCounted)} == {
        (CTX.day, 1),
        (MARCH_2, 2),
    }
    assert totals(parsed) == {"2026-03-02": 1}, "no zero for a day of which nothing was read"


def test_the_day_is_the_one_written_in_the_log() -> None:
    late = LINE.replace(b"10:00:00 +0100", b"23:59:59 -1200")
    assert totals(parse(late)) == {"2026-03-02": 1}


@pytest.mark.parametrize("body", [b"", b"\n\r\n \n", b"# only\n# comments\n", b"\0\0\0"])
def test_nothing_is_nothing(body: bytes) -> None:
    assert parse(body) == Parsed(none=True, increments=True)


def test_a_log_that_begins_with_a_hole_is_read() -> None:
    assert totals(parse(b"\0" * 5000 + LINE)) == {"2026-03-02": 1}


def test_batches_add_up_to_the_whole() -> None:
    lines = page("nginx.log").splitlines(keepends=True)
    whole = parse(b"".join(lines)).records
    for cut in range(1, len(lines)):
        views: Counter[tuple[object, ...]] = Counter()
        for one in (*parse(b"".join(lines[:cut])).records, *parse(b"".join(lines[cut:])).records):
            match one:
                case PageViews(day, path, n):
                    views[day, path] += n
                case NotCounted(day, reason, n):
                    views[day, reason, "lines"] += n
                case SiteViews(day, n, feed_views=feeds):
                    views[day] += n
                    views[day, "feeds"] += feeds or 0
                case Referrer(day, host, medium, n):
                    views[day, host, medium] += n
        assert views[MARCH_2] == 8
        assert all(views[one.day, one.path] == one.views for one in whole if isinstance(one, PageViews))
        assert all(views[one.day, one.reason, "lines"] == one.lines for one in whole if isinstance(one, NotCounted))
        assert all(views[one.day, one.referrer, one.medium] == one.views for one in whole if isinstance(one, Referrer))


def test_the_source_asks_for_its_files_from_its_cursors() -> None:
    source = AccessLog(site="notes", files="logs/*.log*")
    assert list(source.requests(CTX)) == [Files("logs/*.log*", CTX.cursors)]
    assert (source.series().subject, source.series().day_zone) == ("notes", "log")


@given(st.binary(max_size=400))
def test_no_bytes_break_it(noise: bytes) -> None:
    try:
        parsed = parse(noise)
    except LayoutChanged:
        return
    assert parsed.none or parsed.records


@given(st.integers(), st.integers(1, 6))
def test_no_damage_to_a_log_breaks_it(seed: int, hits: int) -> None:
    rng = random.Random(seed)
    body = bytearray(page("nginx.log"))
    for _ in range(hits):
        at = rng.randrange(len(body))
        body[at : at + rng.randrange(30)] = rng.randbytes(rng.randrange(30)).replace(b"\n", b"")
    parsed = parse(bytes(body) + LINE)
    assert set(left_out(parsed)) <= set(REASONS)
    lines = [line for line in (bytes(body) + LINE).split(b"\n") if line.strip(b"\0\r\t ") and line[:1] != b"#"]
    assert sum(totals(parsed).values()) + sum(left_out(parsed).values()) == len(lines)


def test_frozen_and_described() -> None:
    assert replace(AccessLog(), site="x").site == "x"
    assert AccessLog.keep is False
    assert AccessLog.history is True
    assert (AccessLog.measure, AccessLog.kind, AccessLog.every) == ("page_views", "access_log", "10m")
