"""A JSON body: sent as it is, shown with the address, and no reason to lose the host or show a key."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.fetch.hops import first_hop, shown
from monitor.fetch.http import HttpFetcher
from monitor.model import Http, Secret
from tests.replay import Answer, Replay

BODY = json.dumps({"q": "Zoë & 阿达 /#?"}, ensure_ascii=False)


def test_it_is_posted_as_it_is(tmp_path: Path) -> None:
    with Replay({"/search": Answer.json({"ok": True})}) as server:
        fetch = HttpFetcher(base=tmp_path, environ={"K": "s3cret-key"})
        request = Http(server.url + "/search", headers=(("X-Key", Secret(env="K")),), json=BODY)
        exchange = fetch(request)
    (asked,) = server.requests
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    assert asked.body == BODY.encode()
    assert asked.headers["x-key"] == "s3cret-key"
    assert exchange.asked == f"{server.url}/search POST {BODY}"
    assert urlsplit(exchange.asked).netloc == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (307, "POST")])
def test_a_redirect_takes_it_along_as_browsers_do(tmp_path: Path, status: int, method: str) -> None:
    with Replay({"/a": Answer.redirect("/b", status), "/b": Answer.json({})}) as server:
        HttpFetcher(base=tmp_path, environ={})(Http(server.url + "/a", json=BODY))
    second = server.requests[1]
    assert (second.method, second.body) == (method, BODY.encode() if method == "POST" else b"")
    assert ("content-type" in second.headers) == (method == "POST")


@pytest.mark.parametrize("url", ["https://a.example", "https://a.example?x=1", "https://u:p@a.example/s#f"])
def test_the_host_can_be_read_from_what_was_asked(url: str) -> None:
    for params in ((), (("key", Secret(env="K")),)):
        said = shown(Http(url, params=params, json=BODY))
        assert urlsplit(said).hostname == "a.example"
        assert said.endswith(f" POST {BODY}")
        assert ":p@" not in said


def test_a_long_one_is_cut_where_it_is_shown_and_nowhere_else() -> None:
    request = Http("https://a.example/", json=json.dumps("x" * 2000))
    assert len(shown(request)) < 600
    assert len(first_hop(request, {}, {}).body or b"") == 2002
