"""`monitor try`: what is found on a page, before it becomes a source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from monitor import config
from monitor.cli import cli
from monitor.config_errors import ConfigError
from monitor.sources.profiles.any_number import AnyNumber
from monitor.store.connection import Store
from tests.replay import Answer, Replay

PAGE = """<html><body><h1>Jane</h1><div>She has <b class="followers">6K</b> followers here</div>
<i>1</i><i>2</i></body></html>"""
OWNER = '[owner]\nname = "Ada Example"\n[fetch]\nspacing = "0s"\n'


@pytest.fixture
def server() -> Any:
    robots = Answer(200, b"User-agent: *\nDisallow: /private\n")
    data = Answer.json({"followers": 5740})
    routes = {
        "/u": Answer.html(PAGE),
        "/private": Answer.html(PAGE),
        "/data": data,
        "/robots.txt": robots,
        "/403": Answer.html("no", 403),
    }
    with Replay(routes) as running:
        yield running


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    (tmp_path / "config.toml").write_text(OWNER)

    def call(*args: str) -> tuple[int, str]:
        code = cli.main(["--config", str(tmp_path / "config.toml"), "try", *args], standalone_mode=False)
        return code or 0, capsys.readouterr().out

    return call


def test_it_shows_what_is_found_and_the_block_to_paste(server: Replay, run: Any, tmp_path: Path) -> None:
    code, said = run(f"{server.url}/u", "--css", ".followers", "--locale", "en", "--profile", "forum/jane")
    assert code == 0
    assert "status 200" in said
    assert f"{len(PAGE)} bytes" in said
    assert '"6K" -> 6,000' in said
    assert "She has 6K followers here" in said
    assert "read: 6,000 (rounded)" in said
    block = said[said.index("[[profiles]]") :]
    (source,) = config.parse(OWNER + block, tmp_path / "config.toml").sources
    wanted = {"url": f"{server.url}/u", "profile": "forum/jane", "metric": "followers", "css": ".followers"}
    assert source.source == AnyNumber(**wanted, locale="en")  # type: ignore[arg-type]


def test_the_page_is_asked_once_whatever_is_looked_for(server: Replay, run: Any) -> None:
    code, said = run(f"{server.url}/u", "--css", ".followers", "--css", "i", "--xpath", "//none", "--regex", r"(\d)K")
    assert code == 1
    assert [asked.path for asked in server.requests] == ["/u", "/robots.txt"]
    assert "i: 2 found" in said
    assert "selector_several" in said
    assert "selector_nothing" in said
    assert '"6" is a part of "6K"' in said
    assert said.count("[[profiles]]") == 1


def test_nothing_is_stored(server: Replay, run: Any, tmp_path: Path) -> None:
    run(f"{server.url}/u", "--css", ".followers")
    assert not list(tmp_path.glob("presence*"))
    with Store(tmp_path / "presence.db"):
        pass
    run(f"{server.url}/u", "--css", ".followers")
    with Store(tmp_path / "presence.db") as store:
        (row,) = store.rows(
            "select (select count(*) from readings) + (select count(*) from sources) + (select count(*) from counts)"
            " + (select count(*) from captures) as n"
        )
        assert row["n"] == 0
        (host,) = store.rows("select host, next_at from hosts")
        assert host["next_at"]  # only when the host may be asked again


def test_a_host_that_refused_often_is_left_alone_here_too(server: Replay, run: Any, tmp_path: Path) -> None:
    with Store(tmp_path / "presence.db"):
        pass
    for _ in range(3):
        code, said = run(f"{server.url}/403", "--css", "b")
        assert code == 1
        assert "denied" in said
    code, said = run(f"{server.url}/u", "--css", ".followers")
    assert code == 1
    assert said.startswith("breaker: ")
    assert not server.asked("/u")


def test_robots_is_told(server: Replay, run: Any) -> None:
    assert "robots.txt asks not to read this" in run(f"{server.url}/private", "--css", "b")[1]
    assert "robots.txt" not in run(f"{server.url}/u", "--css", "b")[1]


def test_json_for_programs(server: Replay, run: Any) -> None:
    code, said = run(f"{server.url}/data", "--jmespath", "followers", "--json")
    assert code == 0
    told = json.loads(said)
    assert (told["status"], told["robots"], told["media_type"]) == (200, True, "application/json")
    (one,) = told["tried"]
    assert (one["found"], one["value"], one["precision"], one["reason"]) == (1, 5740, "exact", "")
    assert one["matches"] == [{"text": "5740", "value": 5740, "around": "followers"}]
    assert "jmespath" in one["block"]


def test_an_answer_that_never_came_is_told(run: Any) -> None:
    code, said = run("http://127.0.0.1:9/u", "--css", "b")
    assert code == 1
    assert said.startswith("connection: ")
    code, said = run("http://127.0.0.1:9/u", "--css", "b", "--json")
    assert json.loads(said)["tried"][0]["reason"] == "connection"


def test_a_saved_page_needs_no_host_and_no_config(run: Any, tmp_path: Path) -> None:
    (tmp_path / "config.toml").unlink()
    saved = tmp_path / "saved.html"
    saved.write_text(PAGE)
    code, said = run("--file", str(saved), "--css", ".followers", "--locale", "en")
    assert code == 0
    assert "read: 6,000 (rounded)" in said
    assert "[[profiles]]" not in said  # its address is not known
    code, said = run("https://forum.example.org/u", "--file", str(saved), "--css", ".followers", "--locale", "en")
    assert 'url = "https://forum.example.org/u"' in said


def test_linkedin_is_looked_at_only_as_a_saved_page(run: Any, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"linkedin\.com is never asked"):
        run("https://www.linkedin.com/in/jane", "--css", "b")
    saved = tmp_path / "saved.html"
    saved.write_text(PAGE)
    code, said = run("https://www.linkedin.com/in/jane", "--file", str(saved), "--css", ".followers", "--locale", "en")
    assert code == 0
    assert "monitor import FILE" in said
    assert "[[profiles]]" not in said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["https://example.org/"], "say what to look for"),
        (["--css", "b"], "give the page's address"),
        (["https://example.org/", "--css", "b["], "css is not understood"),
        (["ftp://example.org/", "--css", "b"], "begins with https"),
        (["https://example.org/", "--css", "b", "--locale", "klingon"], "locale is a language"),
    ],
)
def test_a_mistake_is_usage(run: Any, args: list[str], said: str) -> None:
    with pytest.raises(click.UsageError, match=said) as error:
        run(*args)
    assert error.value.exit_code == 2


def test_a_config_that_is_missing_is_said(run: Any, tmp_path: Path) -> None:
    (tmp_path / "config.toml").unlink()
    with pytest.raises(ConfigError, match="no such file"):
        run("http://127.0.0.1:9/u", "--css", "b")


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_hostile_text_does_not_steer_the_terminal(run: Any, tmp_path: Path, more: tuple[str, ...]) -> None:
    saved = tmp_path / "saved.html"
    saved.write_text('<html><div>\x1b]0;owned\x07\u202e<b title="\x9b2J">\x1b[2Jone \x9b31m\u2066</b></div></html>')
    for way in (("--css", "b"), ("--css", "b::attr(title)"), ("--regex", "one.*"), ("--jmespath", "a")):
        _, said = run("--file", str(saved), *way, *more)
        assert all(line.isprintable() for line in said.splitlines()), way


@pytest.mark.parametrize("regex", [r"has (\d+K) fol'lowers", r'"(\d)"', "\\d\tK", "\u0421\\d"])
def test_any_expression_survives_the_block(regex: str, tmp_path: Path) -> None:
    from monitor.cli.try_ import block

    made = AnyNumber(url="https://example.org/", profile='a "b"', metric="m\\n", regex=regex)
    (source,) = config.parse(OWNER + block(made), tmp_path / "config.toml").sources
    assert source.source == made
