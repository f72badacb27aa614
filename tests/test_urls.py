from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from monitor import urls

Cases = Callable[[str], Path]

ANY = st.text() | st.builds(
    str.__add__,
    st.sampled_from(["", "http://", "https://www.", "//", "https://duckduckgo.com/l/?uddg=", "https://x.com/"]),
    st.text(alphabet="htps:/?#[]@\\%.&=+-~!_aA1mw2fé。\t \ud800", max_size=60),
)


@pytest.mark.parametrize(
    ("shown", "behind"),
    [
        ("//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1%26c%3DC%252B%252B&rut=1", "https://example.org/a?b=1&c=C%2B%2B"),
        ("https://duckduckgo.com/l/?kh=-1&uddg=https%3A%2F%2Fexample.org", "https://example.org"),
        ("https://www.bing.com/ck/a?!&&p=0a&u=a1aHR0cHM6Ly9leGFtcGxlLm9yZy9hYm91dA&ntb=1", "https://example.org/about"),
        ("https://r.search.yahoo.com/_ylt=A0/RV=2/RE=1/RO=10/RU=https%3a%2f%2fexample.org%2fabout/RK=2/RS=x-", "https://example.org/about"),
        ("https://www.google.com/url?q=https://example.org/%3Fa%3D1&sa=U", "https://example.org/?a=1"),
        ("https://www.google.co.uk/url?sa=t&url=https%3A%2F%2Fexample.org", "https://example.org"),
        ("https://duckduckgo.com/l/?uddg=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%3A%2F%2Fexample.org", "https://example.org"),
    ],
)  # fmt: skip
def test_the_address_behind_a_click_link(shown: str, behind: str) -> None:
    assert urls.unwrap(shown) == behind


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/l/?uddg=https%3A%2F%2Fexample.net",
        "https://notduckduckgo.com/l/?uddg=https%3A%2F%2Fexample.net",
        "https://google.example.org/url?q=https://example.net",
        "https://duckduckgo.com/l/?uddg=javascript%3Aalert(1)",
        "https://www.bing.com/ck/a?u=a2aHR0cHM6Ly9leGFtcGxlLm9yZw",
        "https://www.bing.com/ck/a?u=a1_w",
        "https://www.google.com/goto?url=CAESxyz",
        "https://duckduckgo.com/y.js?ad_domain=example.net",
        "nonsense",
    ],
)
def test_anything_else_comes_back_as_it_is(url: str) -> None:
    assert urls.unwrap(url) == url


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/", "http://www.example.org"),
        ("https://example.org:443/about/", "example.org/about"),
        ("https://m.example.org/about", "https://amp.example.org/about/amp"),
        ("https://example.org/a/../about//./index.html", "https://example.org/about"),
        ("https://example.org/%7Ejane/%c3%a9(1)", "https://example.org/~jane/é%281%29"),
        ("https://example.org/C%2B%2B%3d%26?u=a%2Fb", "https://example.org/C++=&?u=a/b"),
        ("https://example.org/?b=2&a=1&utm_source=x&gclid=1&srsltid=2", "https://example.org?a=1&b=2"),
        ("https://example.org/about#team", "https://example.org/about#:~:text=jane"),
        ("https://bücher.example./", "https://XN--BCHER-KVA.example"),
        ("https://de.linkedin.com/in/Jane?trk=x", "https://www.linkedin.com/in/jane/"),
        ("https://mobile.twitter.com/Jane", "https://x.com/jane"),
        ("https://github.com/Jane/Tool", "https://github.com/jane/tool"),
        ("https://jane.medium.com/text-1", "https://medium.com/@jane/text-1"),
        ("https://user:secret@example.org/about", "https://example.org/about"),
        ("//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org%2Fabout", "https://example.org/about"),
        ("https://www.google.com/./url?q=https://example.org/about", "https://example.org/about"),
    ],
)
def test_two_spellings_of_one_page_compare_equal(one: str, other: str) -> None:
    assert urls.canonical(one) == urls.canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/About", "https://example.org/about"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/?id=1", "https://example.org/?id=2"),
        ("https://example.org/?a=%26b", "https://example.org/?a=&b"),
        ("https://example.org/?a=1%2B1", "https://example.org/?a=1+1"),
        ("https://example.org/a%3Fb", "https://example.org/a?b"),
        ("https://example.org:8443/", "https://example.org/"),
        ("https://example.org/#!/jane", "https://example.org/#!/john"),
        ("https://m.de/", "https://de/"),
        ("https://faß.example/", "https://fass.example/"),
        ("https://jane.github.io/", "https://github.com/jane"),
        ("https://example.org\\@example.net/", "https://example.net/"),
        ("https://github.com/amp", "https://github.com/"),
    ],
)
def test_two_pages_stay_two(one: str, other: str) -> None:
    assert urls.canonical(one) != urls.canonical(other)


def test_what_is_no_web_address_is_left_alone() -> None:
    for text in ("mailto:jane@example.org", "javascript:alert(1)", "jane@example.org", "/about", "http://[", ""):
        assert urls.canonical(text) == text
        assert urls.host(text) == ""
        assert not urls.is_link(text)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.org:8443/x", "example.org"),
        ("https://m.example.org", "m.example.org"),
        ("https://bücher.example", "xn--bcher-kva.example"),
        ("http://[::1]:8001/", "[::1]"),
        ("https://ex%61mple.org/", "example.org"),
        ("https://example.net\\@example.org/", "example.net"),
    ],
)
def test_the_host(url: str, host: str) -> None:
    assert urls.host(url) == host


@pytest.mark.parametrize("url", ["https://example.org", "HTTP://example.org/a b".replace(" ", "%20"), "http://[::1]/"])
def test_a_link(url: str) -> None:
    assert urls.is_link(url)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "ftp://example.org", "//example.org", "example.org",
     " https://example.org", "https://example.org/a b", "https://", "https:///path", "https://exa mple.org",
     "java\nscript:alert(1)", "https://example.org/\x00", "https://example.org/\ud800"],
)  # fmt: skip
def test_no_link(url: str) -> None:
    assert not urls.is_link(url)


@given(ANY)
def test_canonical_is_idempotent_and_nothing_raises(url: str) -> None:
    once = urls.canonical(url)
    assert urls.canonical(once) == once
    assert urls.canonical(urls.unwrap(url)) == once
    assert urls.host(url) == urls.host(url).lower()
    if urls.is_link(url):
        assert urls.host(url)


@given(st.text(alphabet="abcdefghij0123456789/-_.~", max_size=40))
def test_scheme_and_www_never_matter(path: str) -> None:
    assert urls.canonical(f"https://www.example.org/{path}") == urls.canonical(f"http://example.org/{path}")


@pytest.mark.parametrize(
    "name", ["bing/zlurad_bing-nojs.html", "bing/zlurad_domain-nojs.html", "bing/openserp_search_results.html",
             "yahoo/sep_fbc376e_yahoo-Hello-synopsis_0.html", "google/zlurad_nojs_google-nojs.html",
             "google/zlurad_nojs_domain-nojs.html", "google/sep_fbc376e_google-Hello-synopsis_0.html"],
)  # fmt: skip
def test_wrappers_on_captured_pages(cases: Cases, name: str) -> None:
    page = BeautifulSoup(cases(f"search/{name}").read_bytes(), "lxml")
    base = "https://www.google.com" if name.startswith("google") else ""
    hrefs = (str(link["href"]) for link in page.select("a[href]"))
    found = {urls.unwrap(base + href if href.startswith("/") else href) for href in hrefs}
    expected = json.loads(cases("search/EXPECTED.json").read_text())[name]["urls"]
    assert expected
    assert [url for url in expected if url not in found] == []
