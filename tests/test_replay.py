from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.replay import Answer, Asked, Replay

ROOT = Path(__file__).resolve().parent.parent


def get(url: str, **params: str) -> requests.Response:
    return requests.get(url, params=params, timeout=10)


def test_a_list_is_served_in_turn_and_its_last_answer_repeats() -> None:
    with Replay({"/a": [Answer(429, headers={"Retry-After": "60"}), Answer.json({"views": 1})]}) as server:
        answers = [get(server.url + "/a") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 200, 200]
    assert answers[0].headers["Retry-After"] == "60"
    assert answers[2].json() == {"views": 1}


def test_what_was_asked_is_recorded() -> None:
    with Replay({"/s": Answer(202)}) as server:
        requests.post(server.url + "/s?kl=us-en", data={"q": "Ada Lovelace", "b": ""}, timeout=10)
        assert get(server.url + "/nowhere").status_code == 404
    asked = server.asked("/s")[0]
    assert (asked.method, asked.query, asked.form) == ("POST", {"kl": "us-en"}, {"q": "Ada Lovelace", "b": ""})
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert server.requests[0].at <= server.requests[1].at


def test_a_route_may_be_a_function() -> None:
    def echo(request: Asked) -> Answer:
        return Answer.html(f"<p>{request.query['q']}</p>")

    with Replay({"/s": echo}) as server:
        assert get(server.url + "/s", q="Zoë").content.decode() == "<p>Zoë</p>"


def test_a_dropped_connection_is_dropped() -> None:
    with Replay({"/": Answer(drop=True)}) as server, pytest.raises(requests.ConnectionError):
        get(server.url + "/")


def test_a_short_body_is_short() -> None:
    short = Answer(body=b"half", headers={"Content-Length": "8"})
    with Replay({"/": short}) as server, pytest.raises(requests.exceptions.ChunkedEncodingError):
        get(server.url + "/")


def test_a_slow_server_still_stops_at_once() -> None:
    with Replay({"/": Answer(body=b"slow", drip=3600)}) as server, pytest.raises(requests.ConnectionError):
        requests.get(server.url + "/", timeout=0.2)
    assert server.asked("/")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.html").write_text("<p>ok</p>")
    routes = [
        {"path": "/html/", "method": "POST", "match": {"q": "Ada"}, "file": "page.html", "headers": {"X-A": "1"}},
        {"path": "/html/", "method": "POST", "status": 202},
    ]
    (tmp_path / "routes.json").write_text(json.dumps(routes))
    return tmp_path


def test_a_folder_serves_the_first_entry_that_fits(folder: Path) -> None:
    with Replay(folder) as server:
        url = server.url + "/html/"
        good = requests.post(url, data={"q": "Ada", "b": ""}, timeout=10)
        assert (good.status_code, good.text, good.headers["X-A"]) == (200, "<p>ok</p>", "1")
        assert requests.post(url, data={"q": "Bob"}, timeout=10).status_code == 202
        assert get(url).status_code == 404


@pytest.mark.parametrize("entry", [{"path": "/", "file": "../x"}, {"path": "/", "stauts": 200}, {"status": 200}])
def test_a_wrong_entry_is_refused(tmp_path: Path, entry: dict[str, object]) -> None:
    (tmp_path / "routes.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match=r"routes\.json"):
        Replay(tmp_path)


def test_by_hand_it_prints_its_address(folder: Path) -> None:
    command = [sys.executable, "-m", "tests.replay", str(folder), "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            assert requests.post(url + "/html/", data={"q": "Ada"}, timeout=10).text == "<p>ok</p>"
        finally:
            process.terminate()
