"""The page-view rule and the table of referrers, case by case."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.page_views.referrer import HOSTS, Origin, of_host, origin
from monitor.sources.page_views.rule import KEPT, PATH_BYTES, REASONS, agent_is, asked

NONE: frozenset[str] = frozenset()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/about", "/about"),
        ("/about/", "/about/"),
        ("/index.html", "/"),
        ("/blog/index.html?x=1#top", "/blog/"),
        ("/a.html", "/a.html"),
        ("/A.PHP", "/A.PHP"),
        ("/a.aspx", "/a.aspx"),
        ("/?utm_source=x&fbclid=y&gclid=z", "/"),
        ("/?p=12&utm_source=x", "/?p=12"),
        ("/?tag=b&cat=a&s=word", "/?cat=a&tag=b"),
        ("/?page_id=3", "/?page_id=3"),
        ("/?p=", "/"),
        ("/?author=1", "/?author=1"),
        ("/?s=word", "/"),
        ("/caf%C3%A9/", "/café/"),
        ("/caf%E9/", "/caf%E9/"),
        ("/a%3Fb/", "/a%3Fb/"),
        ("/a%00b/", "/a%00b/"),
        ("/a%2520b/", "/a%20b/"),
    ],
)
def test_a_page_and_its_name(target: str, path: str) -> None:
    assert asked(f"GET {target} HTTP/1.1".encode()) == (
        "",
        path,
        "x" if "utm_source" in target else "",
        "",
    )


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        ("HEAD / HTTP/1.1", "method"),
        ("POST / HTTP/1.1", "method"),
        ("get / HTTP/1.1", "method"),
        ("", "method"),
        ("-", "method"),
        (r"\x16\x03\x01", "method"),
        ("GET", "not_a_page"),
        ("GET * HTTP/1.1", "not_a_page"),
        ("GET /a.png HTTP/1.1", "not_a_page"),
        ("GET /a.min.css?v=2 HTTP/1.1", "not_a_page"),
        ("GET /package.json HTTP/1.1", "not_a_page"),
        ("GET /paper.pdf HTTP/1.1", "not_a_page"),
        ("GET /feed HTTP/1.1", "feed"),
        ("GET /blog/feed/ HTTP/1.1", "feed"),
        ("GET /feed/atom/ HTTP/1.1", "feed"),
        ("GET /index.xml HTTP/1.1", "feed"),
        ("GET /feed.json HTTP/1.1", "feed"),
        ("GET /?feed=rss2 HTTP/1.1", "feed"),
        ("GET /sitemap.xml HTTP/1.1", "noise"),
        ("GET /wp-sitemap.xml HTTP/1.1", "noise"),
        ("GET /?p=7&preview=true HTTP/1.1", "noise"),
        ("GET /robots.txt HTTP/1.1", "noise"),
        ("GET /favicon.ico HTTP/1.1", "noise"),
        ("GET /.well-known/security HTTP/1.1", "noise"),
        ("GET /wp-login.php HTTP/1.1", "noise"),
        ("GET /blog/wp-admin/ HTTP/1.1", "noise"),
        ("GET /wp-json HTTP/1.1", "noise"),
        ("GET /xmlrpc.php?rsd HTTP/1.1", "noise"),
        ("GET /wp-cron.php?doing_wp_cron HTTP/1.1", "noise"),
        ("GET /?rest_route=/wp/v2/posts HTTP/1.1", "noise"),
    ],
)
def test_what_is_no_page(request_line: str, reason: str) -> None:
    assert asked(request_line.encode()).reason == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    "target", ["/feedback/", "/rss-readers-compared/", "/atomic", "/wp-adminish/", "/nutrition.html"]
)
def test_a_name_that_only_begins_like_noise_is_a_page(target: str) -> None:
    assert asked(f"GET {target} HTTP/1.1".encode()).reason == ""


def test_another_hosts_page_is_told_by_its_host() -> None:
    assert asked(b"GET http://EXAMPLE.net:80/a?p=1 HTTP/1.1") == ("", "/a?p=1", "", "example.net")


def test_a_long_path_is_cut_at_a_whole_character() -> None:
    path = asked(b"GET /" + b"%C3%A9" * 600 + b" HTTP/1.1").path
    assert PATH_BYTES - 1 <= len(path.encode()) <= PATH_BYTES
    assert set(path[1:]) == {"é"}


@given(st.binary())
def test_any_request_gives_a_verdict_that_can_be_stored(noise: bytes) -> None:
    verdict = asked(b"GET /" + noise)
    assert verdict.reason == "" or verdict.reason in REASONS
    assert len(verdict.path.encode()) <= PATH_BYTES
    assert verdict.path.isprintable()


@pytest.mark.parametrize(
    ("agent", "verdict"),
    [
        (FIREFOX, "person"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36", "person"),
        ("", "bot"),
        ("-", "bot"),
        ("Mozilla/5.0", "bot"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "bot"),
        ("curl/8.5.0", "bot"),
        ("Some-Fetcher/1", "bot"),
        ("my monitor", "bot"),
        ("Mozilla/5.0 HeadlessChrome/120", "bot"),
        ("Go-http-client/2.0", "bot"),
        ("Feedly/1.0", "feed_reader"),
        ("Tiny Tiny RSS/24", "feed_reader"),
        ("Miniflux/2.1", "feed_reader"),
        ("NetNewsWire (RSS Reader)", "feed_reader"),
    ],
)
def test_agents(agent: str, verdict: str) -> None:
    assert agent_is(agent.encode()) == verdict


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("-", ("-", "direct")),
        ("", ("-", "direct")),
        ("https://www.linkedin.com/feed/", ("linkedin.com", "social")),
        ("https://de.linkedin.com/", ("linkedin.com", "social")),
        ("https://lnkd.in/x", ("linkedin.com", "social")),
        ("android-app://com.linkedin.android/", ("linkedin.com", "social")),
        ("https://t.co/x", ("x.com", "social")),
        ("https://news.ycombinator.com/item?id=1", ("news.ycombinator.com", "social")),
        ("https://mastodon.example/@a", ("mastodon.example", "social")),
        ("https://www.google.de/", ("google.com", "search")),
        ("https://www.google.co.uk/", ("google.com", "search")),
        ("https://docs.google.com/", ("docs.google.com", "other")),
        ("https://mail.google.com/", ("mail.google.com", "mail")),
        ("https://gemini.google.com/", ("gemini.google.com", "ai")),
        ("https://chatgpt.com/", ("chatgpt.com", "ai")),
        ("https://r.search.yahoo.com/x", ("search.yahoo.com", "search")),
        ("https://notlinkedin.com/", ("notlinkedin.com", "other")),
        ("https://linkedin.com.evil.example/", ("linkedin.com.evil.example", "other")),
        ("http://blog.example.net:8080/a", ("blog.example.net", "other")),
        ("example.net/page", ("example.net", "other")),
        ("http://user@example.net/", ("example.net", "other")),
        ("http://192.0.2.1/", ("192.0.2.1", "other")),
        ("http://[2001:db8::1]:80/", ("[2001:db8::1]", "other")),
        ("https://www.example.org/", ("example.org", "internal")),
        ("https://", ("unreadable", "other")),
        ("<script>", ("unreadable", "other")),
        ("javascript", ("unreadable", "other")),
    ],
)
def test_referrers(referer: str, expected: tuple[str, str]) -> None:
    assert origin(referer.encode(), "", frozenset({"example.org"})) == expected


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        ("linkedin", ("linkedin.com", "social")),
        ("LinkedIn.com", ("linkedin.com", "social")),
        ("chatgpt.com", ("chatgpt.com", "ai")),
        ("twitter", ("x.com", "social")),
        ("google", ("google.com", "search")),
        ("newsletter", ("newsletter", "mail")),
        ("mail", ("newsletter", "mail")),
        ("meta", ("facebook.com", "social")),
        ("search", ("search", "other")),
        ("-", ("example.net", "other")),
        ("spring-talk", ("spring-talk", "other")),
        ("<b>", ("example.net", "other")),
        ("x" * 100, ("example.net", "other")),
    ],
)
def test_a_campaign_goes_before_the_referer(campaign: str, expected: tuple[str, str]) -> None:
    assert origin(b"https://example.net/", campaign, NONE) == expected


@given(st.binary(), st.text(max_size=80))
def test_any_referer_has_one_medium(referer: bytes, campaign: str) -> None:
    found = origin(referer, campaign, NONE)
    assert found.referrer.isprintable()
    assert len(found.referrer) <= 253
    if found.medium != "direct":
        assert of_host(found.referrer, NONE) == found


def test_the_table_agrees_with_itself() -> None:
    assert len(HOSTS) > 60
    for host, expected in HOSTS.items():
        assert of_host(host, NONE) == expected
        assert of_host(expected.referrer, NONE) == expected
    assert of_host("sub.lobste.rs", NONE) == Origin("lobste.rs", "social")


@given(st.lists(st.sampled_from(["p", "=", "&", "feed", "tag", "1", "utm_source", "xp", ";", "?", "é", "+", "%41"])))
def test_a_query_is_read_as_a_browser_means_it(pieces: list[str]) -> None:
    query = "".join(pieces)
    words = dict(reversed(parse_qsl(query.encode().decode("latin-1"), errors="replace")))
    reason, path, campaign, _ = asked(f"GET /x/?{query} HTTP/1.1".encode())
    kept = "&".join(f"{word}={words[word]}" for word in KEPT if words.get(word, "").isprintable() and words.get(word))
    assert (reason, campaign) == ("feed" if "feed" in words else "", words.get("utm_source", ""))
    assert path == (f"/x/?{kept}" if kept else "/x/").encode()[:PATH_BYTES].decode(errors="ignore")
