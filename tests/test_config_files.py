"""Broken config files: each mistake is told with file, line, key and what would be right; nothing is written."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from monitor import cli, config
from monitor.config_errors import ConfigError
from tests.conftest import PAGES
from tests.replay import Answer, Replay

OWNER = '[owner]\nname = "Ada Example"\n'
DUCK = '[[search]]\nkind = "duckduckgo"\n'
BRAVE = '[[search]]\nkind = "brave"\n'
PLAIN = "hunter2-hunter2"

# what is wrong: the file, and what must stand in what is said ("3: x" is line 3)
BROKEN: dict[str, tuple[str | bytes, list[str]]] = {
    "syntax": ('[owner]\nname = "Ada\n', [":2:12: is not valid TOML"]),
    "an end too soon": ("[owner]\nname = [", ["is not valid TOML", "end of document"]),
    "a key twice": (OWNER + 'name = "Eve"\n', [":3:13: is not valid TOML: Cannot overwrite a value"]),
    "a table twice": (OWNER + "[owner]\n", [":3:7: ", "Cannot declare"]),
    "an empty file": ("", ["owner: is missing; add [owner]"]),
    "no name": ("[owner]\n", [":1: owner.name: is missing"]),
    "a name of spaces": ('[owner]\nname = "  "\n', [":2: owner.name: "]),
    "a name that is a number": ("[owner]\nname = 5\n", [':2: owner.name: should be text: "..."']),
    "a list that is text": (OWNER + 'aliases = "Ada"\n', [':3: owner.aliases: should be a list: ["..."]']),
    "an entry that is no text": (OWNER + "aliases = [5]\n", [":3: owner.aliases.0: should be text"]),
    "a table that is a value": ('owner = "Ada"\n', [":1: owner: is a table: write [owner]"]),
    "a table that is a list": ('[[owner]]\nname = "Ada"\n', [":1: owner: is a table: write [owner]"]),
    "an unknown section": (OWNER + "[serch]\n", [':3: serch: unknown section - did you mean "search"?']),
    "an unknown key above all": ("nmae = 1\n" + OWNER, [":1: nmae: unknown section"]),
    "an unknown key of a table": (OWNER + "[web]\nprot = 1\n", [':4: web.prot: unknown key - did you mean "port"']),
    "an unknown key of a block": (
        OWNER + DUCK + "\n" + DUCK + 'quries = ["x"]\n',
        [':8: search.1.quries: unknown key - did you mean "queries"?'],
    ),
    "an unknown key in a key": (OWNER + BRAVE + 'key = { evn = "X" }\n', [":5: search.0.key: a secret is named"]),
    "an unknown zone": (
        OWNER + 'timezone = "Europe/Berln"\n',
        [':3: owner.timezone: no such time zone - did you mean "Europe/Berlin"?'],
    ),
    "a zone that is a path": (OWNER + 'timezone = "../../etc/passwd"\n', [":3: owner.timezone: no such time zone"]),
    "a block that is a table": (
        OWNER + '[search]\nkind = "duckduckgo"\n',
        [":3: search: is a list of blocks: write [[search]]"],
    ),
    "a block that is text": ('search = ["duckduckgo"]\n' + OWNER, [":1: search.0: is a block: write [[search]]"]),
    "no kind": (OWNER + '[[search]]\nevery = "1d"\n', [":3: search.0: kind is missing; this section has: duckduckgo"]),
    "an unknown kind": (
        OWNER + '[[profiles]]\nkind = "gihub"\n',
        [':4: profiles.0.kind: no such source "gihub" - did you mean "github"?'],
    ),
    "a kind that is a list": (OWNER + '[[search]]\nkind = ["brave"]\n', [":4: search.0.kind: no such source"]),
    "a needed key": (OWNER + '[[profiles]]\nkind = "github"\n', [":3: profiles.0"]),
    "two of one name": (OWNER + DUCK + DUCK, [':5: search.1: two sources are called "duckduckgo/ada-example"']),
    "every and at": (OWNER + DUCK + 'every = "1d"\nat = "06:30"\n', [":3: search.0: a schedule is either every"]),
    "a time without quotes": (OWNER + DUCK + "at = 06:30:00\n", [':5: search.0.at: should be text: "..."']),
    "too often": (OWNER + DUCK + 'every = "6h"\n', [":3: search.0: a search engine is asked at most once a day"]),
    "too seldom": (OWNER + DUCK + 'every = "367d"\n', ["search.0: every is at most 366d"]),
    "no span": (OWNER + '[fetch]\nspacing = "10 s"\n', [":4: fetch.spacing: a span is a number and a unit"]),
    "a span that is a number": (OWNER + "[fetch]\nspacing = 10\n", [':4: fetch.spacing: should be text: "..."']),
    "a span beyond all time": (OWNER + f'[store]\nkeep_captures = "{"9" * 30}d"\n', [":4: store.keep_captures: "]),
    "a word not known": (OWNER + '[fetch]\nrobots = "obye"\n', [":4: fetch.robots: should be 'tell' or 'obey'"]),
    "a port in quotes": (OWNER + '[web]\nport = "8001"\n', [":4: web.port: should be a whole number"]),
    "a port too large": (OWNER + "[web]\nport = 70000\n", [":4: web.port: should be less than or equal to 65535"]),
    "the whole world": (
        OWNER + '[web]\nhost = "0.0.0.0"\n',
        [":4: web.host: the pages are served to this machine only"],
    ),
    "no path": (OWNER + '[store]\npath = ""\n', [":4: store.path: "]),
    "a path of nothing": (OWNER + '[store]\npath = "a\\u0000b"\n', [":4: store.path: "]),
    "a secret written here": (OWNER + BRAVE + f'key = "{PLAIN}"\n', [":5: search.0.key: a secret is named"]),
    "a secret for its name": (OWNER + BRAVE + f'key = {{ env = "{PLAIN}" }}\n', [":5: search.0.key: "]),
    "a secret of two": (OWNER + BRAVE + 'key = { env = "A", file = "b" }\n', ["search.0.key: ", "one of the two"]),
    "a secret under no key": (OWNER + DUCK + f'api_key = "{PLAIN}"\n', [":5: search.0.api_key: unknown key"]),
    "a label of nonsense": (OWNER + '[labels]\nmine = ["not a host"]\n', [":4: labels.mine"]),
    "a label that is no list": (
        OWNER + '[labels]\nmine = "example.org"\n',
        [':4: labels.mine: should be a list: ["..."]'],
    ),
    "a label twice": (
        OWNER + '[labels]\nmine = ["a.example"]\nnamesake = ["a.example"]\n',
        [":5: labels.namesake", "labelled twice"],
    ),
    "latin-1": (b'[owner]\nname = "Zo\xeb"\n', [":2: is not UTF-8 text; save it as UTF-8"]),
    "utf-16": (OWNER.encode("utf-16"), ["is not UTF-8 text", "UTF-16"]),
    "bytes of no text": (b"\x00\x01\x02", ["is not valid TOML"]),
}


def said_by(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: str) -> tuple[object, str]:
    """What a command says, with its exit code."""
    monkeypatch.setattr("sys.argv", ["monitor", *args])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out + err


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("command", ["status", "check"])
def test_a_broken_file_is_told_and_nothing_is_written(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, wanted = BROKEN[name]
    (tmp_path / "config.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    monkeypatch.chdir(tmp_path)
    code, said = said_by(capsys, monkeypatch, command)
    assert code == 78, said
    for part in wanted:
        assert part in said
    assert all(line.startswith("config.toml") for line in said.splitlines()), said
    assert PLAIN not in said
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_every_mistake_is_told_at_once() -> None:
    text = (
        '[owner]\nname = 5\ntimezone = "Mars"\n[web]\nport = "x"\nhots = 1\n[[search]]\nkind = "brave"\nkey = "x"\n'
        'pages = "2"\n[[search]]\nkind = "bravo"\n[[page_views]]\nkind = "access_log"\nfile = "x"\n[nonsense]\n'
    )
    with pytest.raises(ConfigError) as caught:
        config.parse(text, Path("config.toml"))
    lines = str(caught.value).splitlines()
    assert sorted(int(line.split(":")[1]) for line in lines) == [2, 3, 5, 6, 9, 10, 12, 15, 16], lines


@pytest.mark.parametrize("command", ["status", "check", "run"])
def test_what_is_no_file_is_told(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder.toml").mkdir()
    for name, wanted in (("folder.toml", "cannot be read"), ("none.toml", "no such file")):
        code, said = said_by(capsys, monkeypatch, "--config", str(tmp_path / name), command)
        assert (code, wanted in said) == (78, True), said
    assert [path.name for path in tmp_path.iterdir()] == ["folder.toml"]


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(OWNER)
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read all: the refusal is played
        monkeypatch.setattr(
            Path, "read_bytes", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
        )
    code, said = said_by(capsys, monkeypatch, "--config", str(path), "status")
    assert (code, said) == (78, f"{path}: cannot be read: Permission denied\n")


def test_the_mark_that_windows_puts_before_utf8_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + OWNER.replace("\n", "\r\n").encode())
    assert config.read(path).owner.name == "Ada Example"


@pytest.mark.parametrize(
    ("mode", "advice"),
    [(None, "file brave.key: it does not exist"), (0o644, "file brave.key: chmod 600 it"), (0o600, "")],
)
def test_a_key_that_cannot_be_had_stops_its_own_source_alone(
    mode: int | None, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "brave.key"
    if mode is not None:
        key.write_text(PLAIN)
        key.chmod(mode)
    routes = {
        "/html/": Answer(200, (PAGES / "duckduckgo" / "ok.html").read_bytes(), {"Content-Type": "text/html"}),
        "/brave": Answer(200, (PAGES / "brave" / "ok.json").read_bytes(), {"Content-Type": "application/json"}),
    }
    monkeypatch.chdir(tmp_path)
    with Replay(routes) as server:
        (tmp_path / "config.toml").write_text(
            f'{OWNER}{BRAVE}url = "{server.url}/brave"\npages = 1\nkey = {{ file = "brave.key" }}\n'
            f'{DUCK}url = "{server.url}/html/"\n[fetch]\nspacing = "0s"\n'
        )
        code, said = said_by(capsys, monkeypatch, "check")
        asked = {request.path for request in server.requests}
    with closing(sqlite3.connect(tmp_path / "presence.db")) as db:
        rows = dict(db.execute("select kind, outcome || ' ' || reason from source_health").fetchall())
    assert rows == {"brave": "missed key_missing" if advice else "ok ", "duckduckgo": "ok "}
    assert code == (1 if advice else 0)
    assert advice in said
    assert asked == ({"/html/"} if advice else {"/html/", "/brave"})
    assert not key.exists() or stat.S_IMODE(key.stat().st_mode) == mode
