"""Log formats told by their content: real logs from elsewhere, twins by hand, and what the owner may set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config_blocks import model_of, read_sources
from monitor.config_errors import Problem
from monitor.model import Capture, Context, LayoutChanged, NotCounted, PageViews, Parsed, Referrer, SiteViews, Visitors
from monitor.sources.page_views.access_log import AccessLog
from monitor.sources.page_views.formats import Lines, compiled, day_in
from monitor.sources.page_views.rule import REASONS
from tests.conftest import PAGES

Cases = Callable[[str], Path]
CTX = Context(now=datetime(2026, 3, 4, 12, tzinfo=UTC), day=date(2026, 3, 4), visitor_key=lambda day: b"k" * 32)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LINE = f'192.0.2.7 - - [02/Mar/2026:10:00:00 +0100] "GET /a/ HTTP/1.1" 200 5 "-" "{FIREFOX}"\n'.encode()


def parse(body: bytes, head: bytes = b"", **settings: object) -> Parsed:
    return AccessLog(**settings).parse(Capture(body, place="access.log 0-9", head=head), CTX)  # type: ignore[arg-type]


def twin(name: str) -> bytes:
    return (PAGES / "access_log" / f"{name}.log").read_bytes()


def paths(parsed: Parsed) -> dict[str, int]:
    return {f"{one.day:%d} {one.path}": one.views for one in parsed.records if isinstance(one, PageViews)}


def totals(parsed: Parsed) -> dict[str, int]:
    return {one.day.isoformat(): one.views for one in parsed.records if isinstance(one, SiteViews)}


def left_out(parsed: Parsed) -> dict[str, int]:
    lines: Counter[str] = Counter()
    for one in parsed.records:
        if isinstance(one, NotCounted):
            lines[one.reason] += one.lines
    return dict(lines)


# The totals of the cases' INDEX.md. Where the log holds Sec-Purpose, one of the 7 views is a page fetched ahead.
REAL = [
    ("own_nginx_json.log", {"2026-11-22": 6}, 1),
    ("own_caddy_json.log", {"2026-11-22": 6}, 1),
    ("matomo_caddy_json.log", {"2023-12-23": 1}, 0),
    ("matomo_static_ignores.log", {"2012-02-10": 1}, 0),
    ("matomo_alb.log", {"2020-01-01": 1}, 0),
    ("matomo_elb.log", {"2015-05-13": 1}, 0),
    ("matomo_s3.log", {"2012-02-10": 1}, 0),
    ("matomo_iis.log", {"2012-04-01": 1}, 0),
    ("matomo_amazon_cloudfront_web.log", {"2014-05-23": 1}, 0),
    ("matomo_traefik_json.log", {"2023-08-11": 1}, 0),
    ("matomo_common_complete.log", {"2012-02-10": 0}, 0),  # one redirect
    ("matomo_common_encoding_big5.log", {"2012-02-10": 0}, 0),
    ("matomo_ncsa_extended.log", {"2012-02-10": 0}, 0),
]


@pytest.mark.parametrize(("name", "days", "ahead"), REAL, ids=[name for name, *_ in REAL])
def test_real_logs(cases: Cases, name: str, days: dict[str, int], ahead: int) -> None:
    body = cases(f"page-views/{name}").read_bytes()
    parsed = parse(body)
    assert totals(parsed) == days
    assert left_out(parsed).get("prefetch", 0) == ahead
    lines = [line for line in body.split(b"\n") if line.strip() and not line.startswith(b"#")]
    assert sum(days.values()) + sum(left_out(parsed).values()) == len(lines)


def test_an_own_date_is_read_when_its_format_is_told(cases: Cases) -> None:
    body = cases("page-views/awstats_testtime5.log").read_bytes()
    told = '$remote_addr - $remote_user $time_iso8601 "$request" $status $bytes "$http_referer" "$http_user_agent"'
    assert totals(parse(body, format=told)) == {"2001-01-01": 2}


def test_caddy() -> None:
    parsed = parse(twin("caddy"))
    assert paths(parsed) == {"02 /": 1, "02 /hello/": 1, "02 /notes/v1.2": 1, "02 /late/": 1}
    assert left_out(parsed) == {
        "prefetch": 1,
        "method": 1,
        "bot": 1,
        "status": 1,
        "feed": 1,
        "unparsed": 1,
        "not_a_page": 2,
    }
    assert Referrer(date(2026, 3, 2), "linkedin.com", "social", 1) in parsed.records


def test_nginx_json_with_a_raw_byte_and_without_escape() -> None:
    parsed = parse(twin("nginx_json"))
    assert set(paths(parsed)) == {"02 /", "02 /café/", r"02 /esc-\xe9/", r"02 /raw-\xe9/", '02 /say-"hi"/'}
    assert left_out(parsed) == {"method": 1, "status": 1, "prefetch": 1, "not_a_page": 1, "unparsed": 1}


def test_traefik_in_the_days_of_its_own_zone() -> None:
    parsed = parse(twin("traefik"))
    assert paths(parsed) == {"02 /": 1, "02 /about/": 1}
    assert left_out(parsed) == {"not_a_page": 1, "status": 1}


def test_iis_with_a_header_that_changes() -> None:
    parsed = parse(twin("iis"))
    assert paths(parsed) == {"02 /": 1, "02 /post.aspx?p=3": 1, "03 /new/": 1}
    assert left_out(parsed) == {"bot": 1, "unparsed": 1}


def test_a_piece_of_a_log_is_read_by_the_header_of_its_file() -> None:
    head, lines = twin("iis")[:1024], twin("iis").splitlines(keepends=True)
    assert paths(parse(lines[5], head=b"".join(lines[:5]))) == {"02 /post.aspx?p=3": 1}
    assert head.startswith(b"#Software")
    with pytest.raises(LayoutChanged):
        parse(lines[5])


def test_cloudfront_with_an_agent_encoded_twice() -> None:
    parsed = parse(twin("cloudfront"))
    assert paths(parsed) == {"02 /hello/?p=4": 1}
    assert left_out(parsed) == {"not_a_page": 1, "bot": 1}
    reader = Lines(head=twin("cloudfront"))
    read = reader.read(twin("cloudfront").split(b"\n")[2])
    assert read is not None
    assert (read.agent, read.address, read.host) == (FIREFOX.encode(), b"192.0.2.7", b"example.org")


def test_a_load_balancer_names_the_whole_address() -> None:
    parsed = parse(twin("alb"))
    assert paths(parsed) == {"02 /hello/?p=1": 1}
    assert left_out(parsed) == {"status": 1}
    assert paths(parse(twin("alb"), vhosts=("example.org",))) == {"02 /hello/?p=1": 1}
    assert left_out(parse(twin("alb"), vhosts=("other.example",))) == {"other_host": 2}


def test_a_log_of_several_sites() -> None:
    assert totals(parse(twin("vhost_combined"))) == {"2026-03-02": 2}
    chosen = parse(twin("vhost_combined"), vhosts=("Example.org",))
    assert totals(chosen) == {"2026-03-02": 1}
    assert left_out(chosen) == {"other_host": 1}


@pytest.mark.parametrize(("name", "why"), [("common", "common format"), ("haproxy", "HAProxy format")])
def test_a_format_without_the_agent_is_refused_and_says_so(name: str, why: str) -> None:
    with pytest.raises(LayoutChanged, match="unknown_format") as caught:
        parse(twin(name))
    assert why in caught.value.detail
    assert "no user agent" in caught.value.detail


def test_json_and_w3c_without_the_agent_are_refused() -> None:
    for body in (
        b'{"time_iso8601":"2026-03-02T10:00:00Z","request":"GET / HTTP/1.1","status":200}\n',
        b"#Fields: date time cs-method cs-uri-stem sc-status\n2026-03-02 10:00:00 GET / 200\n",
        b'{"ts":1772445600.2,"status":200,"request":{"method":"GET","uri":"/"}}\n',
    ):
        with pytest.raises(LayoutChanged, match="no user agent"):
            parse(body)


def test_formats_may_change_in_the_middle() -> None:
    mixed = LINE + twin("caddy").splitlines(keepends=True)[0] + twin("alb").splitlines(keepends=True)[0] + LINE
    parsed = parse(mixed + twin("common"))
    assert paths(parsed) == {"02 /": 1, "02 /a/": 2, "02 /hello/?p=1": 1}
    assert left_out(parsed) == {"unparsed": 1}


T, R = "02/Mar/2026:10:00:00 +0100", "GET /a/ HTTP/1.1"
OWN = [
    (
        '$remote_addr - $remote_user [$time_local] "$request" $status "$http_user_agent"',
        f'192.0.2.7 - ada l [{T}] "{R}" 200 "{FIREFOX}"',
    ),
    ("$msec|$status|$request_method|$request_uri|$http_user_agent", f"1772445600.123|200|GET|/a/|{FIREFOX}"),
    (
        r"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\"",
        f'192.0.2.7 - - [{T}] "{R}" 200 5 "-" "{FIREFOX}"',
    ),
    (
        '%{%Y-%m-%dT%H:%M:%S}t %a %m %U%q %s "%{User-Agent}i" %D',
        f'2026-03-02T10:00:00 192.0.2.7 GET /a/?x=1 200 "{FIREFOX}" 17',
    ),
    (
        '{"t":"$time_iso8601","r":"$request","s":$status,"a":"$http_user_agent"}',
        f'{{"t":"2026-03-02T10:00:00Z","r":"{R}","s":200,"a":"{FIREFOX}"}}',
    ),
    (
        '$host$request_uri $status ${time_iso8601} "$http_user_agent"',
        f'example.org/a/ 200 2026-03-02T10:00:00Z "{FIREFOX}"',
    ),
]


@pytest.mark.parametrize(("told", "line"), OWN, ids=[told[:20] for told, _ in OWN])
def test_a_format_of_ones_own(told: str, line: str) -> None:
    body = line.encode() + b"\n"
    assert paths(parse(body, format=told)) == {"02 /a/": 1}
    agent = f"{FIREFOX} Googlebot/2.1".encode()
    assert left_out(parse(body.replace(FIREFOX.encode(), agent), format=told)) == {"bot": 1}
    assert paths(parse(LINE, format=told)) == {"02 /a/": 1}, "older lines in a known format are read all the same"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('"$request" $status "$http_user_agent"', "no time"),
        ('[$time_local] $status "$request"', "no agent"),
        ('[$time_local] "$request" "$http_user_agent"', "no status"),
        ('[$time_local] $status "$http_user_agent"', "no request"),
        ('[$time_local] $status$bytes "$request" "$http_user_agent"', "nothing between status and bytes"),
    ],
)
def test_a_format_that_cannot_do_is_refused_in_the_config(told: str, said: str) -> None:
    assert said in problem(format=told)


def problem(**settings: object) -> str:
    problems: list[Problem] = []
    block = {"page_views": [{"kind": "access_log", **settings}]}
    assert list(read_sources(block, "Ada Example", "UTC", problems)) == []
    return str(problems)


def test_settings_that_mean_nothing_are_refused_in_the_config() -> None:
    assert "leave_out_ips" in problem(leave_out_ips=["192.0.2.300"])
    assert "leave_out_paths" in problem(leave_out_paths=["drafts"])
    assert "pages" in problem(pages=["*.md"])
    assert set(model_of(AccessLog).model_fields) >= {"format", "vhosts", "pages", "keep_query", "wordpress"}


def test_what_the_owner_leaves_out() -> None:
    body = LINE + LINE.replace(b"192.0.2.7", b"198.51.100.9") + LINE.replace(b"192.0.2.7", b"2001:db8::1")
    left = parse(body, leave_out_ips=("198.51.100.0/24", "2001:db8::/32"))
    assert (totals(left), left_out(left)) == ({"2026-03-02": 1}, {"own_address": 2})
    body = (
        LINE + LINE.replace(b"/a/", b"/drafts") + LINE.replace(b"/a/", b"/drafts/x") + LINE.replace(b"/a/", b"/drafty")
    )
    left = parse(body, leave_out_paths=("/drafts/",))
    assert left_out(left) == {"left_out": 1}
    left = parse(body, leave_out_paths=("/drafts",))
    assert (totals(left), left_out(left)) == ({"2026-03-02": 2}, {"left_out": 2})


def test_only_own_lines_are_read_and_no_views() -> None:
    left = parse(LINE, leave_out_ips=("192.0.2.7",))
    assert (totals(left), left_out(left)) == ({"2026-03-02": 0}, {"own_address": 1})


def test_further_pages_query_words_and_no_wordpress() -> None:
    assert left_out(parse(LINE.replace(b"/a/", b"/a.md"))) == {"not_a_page": 1}
    assert paths(parse(LINE.replace(b"/a/", b"/a.md"), pages=(".md",))) == {"02 /a.md": 1}
    assert paths(parse(LINE.replace(b"/a/", b"/?id=3&p=4"), keep_query=("id",))) == {"02 /?id=3": 1}
    login = LINE.replace(b"/a/", b"/wp-login.php")
    assert left_out(parse(login)) == {"noise": 1}
    assert paths(parse(login, wordpress=False)) == {"02 /wp-login.php": 1}


def test_a_rule_set_otherwise_has_a_name_of_its_own() -> None:
    assert AccessLog().rule == AccessLog(hosts=("example.org",), format=OWN[0][0]).rule == "2"
    names = {
        AccessLog(pages=("md",)).rule,
        AccessLog(pages=("txt",)).rule,
        AccessLog(keep_query=()).rule,
        AccessLog(wordpress=False).rule,
        AccessLog(leave_out_ips=("192.0.2.7",)).rule,
        AccessLog(leave_out_paths=("/x",)).rule,
        AccessLog(vhosts=("example.org",)).rule,
    }
    assert len(names) == 7
    assert all(name.startswith("2+") and len(name) == 8 for name in names)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("02/Mar/2026:23:59:59 -1200", date(2026, 3, 2)),
        ("2026-03-02T23:59:59.123456Z", date(2026, 3, 2)),
        ("2026/03/02 23:59:59", date(2026, 3, 2)),
        ("1772495999.9", date(2026, 3, 2)),
        ("1772496000", date(2026, 3, 3)),
        ("1772496000000", date(2026, 3, 3)),
        ("31/Feb/2026:10:00:00", None),
        ("2026-13-02T10:00:00", None),
        ("99999999999999999999", None),
        ("nan", None),
        ("", None),
    ],
)
def test_days(text: str, day: date | None) -> None:
    assert day_in(text) == day


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "{", '{"request":', "#Fields: ", "192.0.2.7 - - [", "http 2026-03-02T"]),
)
def test_no_bytes_break_it(noise: bytes, start: str) -> None:
    body = start.encode() + noise + b"\n" + LINE
    parsed = parse(body, head=body[:100])
    assert set(left_out(parsed)) <= set(REASONS)
    assert sum(totals(parsed).values()) >= 1


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), st.lists, max_leaves=5), st.data())
def test_no_json_breaks_it(value: object, data: st.DataObject) -> None:
    import json

    line = json.loads(twin(data.draw(st.sampled_from(["caddy", "traefik"]))).split(b"\n")[0])
    inner = line["request"] if "request" in line and data.draw(st.booleans()) else line
    inner[data.draw(st.sampled_from(sorted(inner)))] = value
    lines = Lines()
    lines.read(json.dumps(line).encode())


def test_a_line_made_to_be_slow_is_not() -> None:
    told = compiled(OWN[0][0])
    for evil in (
        b"[" * 200_000,
        b"a " * 100_000,
        b'x - y [02/Mar/2026:10:00:00 +0100] "' + b"\\" * 200_000,
        b'{"a":' * 60_000,
    ):
        assert Lines(told).read(evil) is None


def test_visitors_need_an_address() -> None:
    without = '{"time_iso8601":"2026-03-02T10:00:00Z","request":"GET / HTTP/1.1","status":200,"http_user_agent":"%s"}\n'
    (said,) = [one for one in parse((without % FIREFOX).encode()).records if isinstance(one, Visitors)]
    assert said.hashes is None
