"""A planted key goes through every outcome, and is then looked for wherever anything is kept or said."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from monitor.cli import main
from monitor.fetch.secrets import Redactor
from tests.conftest import PAGES
from tests.replay import Answer, Asked, Replay
from tests.test_end_to_end import MONITOR, Home, get

KEY = "Zq7/x+9 k%41&\"<s3same'~0pen==4242"
"""With every character that some encoding writes differently, and none of which may be missed."""

GOOD = (PAGES / "brave" / "ok.json").read_bytes()
JSON = {"Content-Type": "application/json"}
DUCK = (PAGES / "duckduckgo" / "ok.html").read_bytes()


def written(key: str) -> dict[str, re.Pattern[bytes]]:
    """The ways a key may stand in bytes. Base64 is looked for at each of its three places in a group of bytes."""
    ways = {
        "raw": key,
        "percent": quote(key, safe=""),
        "percent with slashes": quote(key),
        "form": quote_plus(key),
        "twice percent": quote(quote(key, safe=""), safe=""),
        "json": json.dumps(key)[1:-1],
        "json in json": json.dumps(json.dumps(key))[3:-3],
        "json with slashes": json.dumps(key)[1:-1].replace("/", "\\/"),
        "html": html.escape(key),
        "html numbers": "".join(c if c.isalnum() else f"&#{ord(c)};" for c in key),
        "python": repr(key)[1:-1],
        "sql": key.replace("'", "''"),
        "cut off": key[: len(key) // 2],
        "cut off, percent": quote(key)[: len(key) // 2],
    }
    found = {name: re.compile(re.escape(way.encode()), re.IGNORECASE) for name, way in ways.items()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + key.encode())[4 if before else 0 : -4]
        for name, way in (("base64", text), ("base64url", text.translate(bytes.maketrans(b"+/", b"-_")))):
            found[f"{name} {before}"] = re.compile(re.escape(way))
    return found


def leaks(key: str, places: dict[str, bytes]) -> list[str]:
    """Where a key stands, and how."""
    return [f"{place}: {way}" for place, body in places.items() for way, at in written(key).items() if at.search(body)]


def unpacked(body: bytes) -> bytes:
    for unpack in (gzip.decompress, zlib.decompress, lambda raw: zlib.decompress(raw, -15)):
        try:
            return unpack(body)
        except (OSError, EOFError, zlib.error):
            continue
    return body


def kept(folder: Path, spared: set[str]) -> dict[str, bytes]:
    """All bytes below a folder, and each value of each database in it, unpacked."""
    places = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in spared:
            continue
        places[path.name] = path.read_bytes()
        places[f"{path.name}, unpacked"] = unpacked(places[path.name])
        if path.suffix == ".db":
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                for (table,) in db.execute("select name from sqlite_master where type = 'table'").fetchall():
                    for n, row in enumerate(db.execute(f'select * from "{table}"')):
                        values = [v if isinstance(v, bytes) else str(v).encode() for v in row]
                        places[f"{path.name} {table} {n}"] = b"\n".join(map(unpacked, values))
    return places


def test_the_search_itself_finds_what_is_there() -> None:
    places = {name: b"x" + at.pattern.replace(b"\\", b"") + b"y" for name, at in written("plain0key9").items()}
    assert {line.split(":")[0] for line in leaks("plain0key9", places)} == set(places)
    for before in (b"", b"u", b"us", b"user:"):
        assert leaks(KEY, {"x": base64.b64encode(before + KEY.encode() + b":after")})


def test_a_body_that_repeats_the_key_in_any_writing_loses_it() -> None:
    redact = Redactor([f"Bearer {KEY}", KEY])
    forms = [
        *(KEY, quote(KEY, safe=""), quote(KEY), quote_plus(KEY), quote(quote(KEY, safe=""), safe="")),
        *(json.dumps(KEY), json.dumps(KEY).replace("/", "\\/"), html.escape(KEY), json.dumps(json.dumps(KEY))),
        *(base64.b64encode(f"{user}{KEY}{more}".encode()).decode() for user in ("", "a", "ab") for more in ("", ":x")),
        base64.urlsafe_b64encode(f"a{KEY}".encode()).decode(),
    ]
    for form in forms:
        body = redact.body(b"<p>" + form.encode() + b"</p>\xff")
        assert not leaks(KEY, {form: body})
        assert (body[:3], b"***" in body, body[-5:]) == (b"<p>", True, b"</p>\xff")
    assert redact.body(b"\xff\x00 as it came Zq7 ***") == b"\xff\x00 as it came Zq7 ***"
    assert Redactor([]).body(b"\xffx") == b"\xffx"
    assert Redactor(["Zoë"]).body("Zoë Zo%C3%AB Zo\\u00eb".encode()) == b"*** *** ***"


# --- the whole line, outcome by outcome ----------------------------------------------------------------------------


def seen_by(request: Asked) -> str:
    """The key as the server got it: only what was truly sent can come back."""
    key = request.headers["x-subscription-token"]
    assert key == KEY
    return key


def echo(status: int, text: Callable[[str], str], **headers: str) -> Callable[[Asked], Answer]:
    def answer(request: Asked) -> Answer:
        body = text(seen_by(request)).encode()
        encoded = {name.replace("_", "-"): value.format(key=quote(KEY)) for name, value in headers.items()}
        return Answer(status, body, {**JSON, **encoded})

    return answer


def every_way(key: str) -> str:
    packed = base64.b64encode(f"user:{key}".encode()).decode()
    return json.dumps({"you sent": key, "form": quote_plus(key), "packed": packed, "page": html.escape(key)})


def good_with_key(key: str) -> str:
    answer = json.loads(GOOD)
    answer["web"]["results"][0]["title"] = f"echo {key} echo"
    answer["web"]["results"][1]["url"] = f"https://example.org/?t={quote(key)}"
    return json.dumps(answer)


def to_another_page(request: Asked) -> Answer:
    return Answer(302, b"", {"Location": f"/landing?key={quote(seen_by(request), safe='')}"})


def too_much(request: Asked) -> Answer:
    return Answer(200, seen_by(request).encode(), {**JSON, "Content-Length": "99999"})


ANSWERS: dict[str, tuple[object, str]] = {
    "ok": (echo(200, good_with_key, Server="{key}", Etag='"{key}"', Link="<https://x.example/?k={key}>"), "ok "),
    "401": (echo(401, every_way), "blocked denied"),
    "403": (echo(403, every_way), "blocked denied"),
    "429": (echo(429, every_way, Retry_After="60"), "blocked rate_limited"),
    "500": (echo(500, every_way, Server="{key}"), "failed server_error"),
    "a page not known": (echo(200, every_way), "changed layout_unknown"),
    "a redirect with the key": (to_another_page, "changed layout_unknown"),
    "a redirect that carries the key away": (
        lambda request: Answer(302, b"", {"Location": f"http://10.0.0.1/{quote(seen_by(request))}"}),
        "failed redirect",
    ),
    "a redirect to no address": (
        lambda request: Answer(302, b"", {"Location": f"http://[{quote(seen_by(request))}/"}),
        "failed redirect",
    ),
    "cut short": (too_much, "failed truncated"),
    "hung up": (Answer(drop=True), "failed connection"),
    "an encoding of that name": (echo(200, every_way, Content_Encoding="{key}"), "failed bad_encoding"),
    "not gzip": (echo(200, every_way, Content_Encoding="gzip"), "failed bad_encoding"),
}

HOLDERS = ("environment", "file", "file named by the environment", "credential")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder)


def plant(home: Home, server: str, holder: str, extra: str = "") -> set[str]:
    """Put the key where a holder has it, and write the config; returns the files that hold it by right."""
    elsewhere = home.folder.parent / "secrets"
    elsewhere.mkdir(exist_ok=True)
    home.environ = {k: v for k, v in os.environ.items() if "BRAVE" not in k} | {"PYTHONUNBUFFERED": "1"}
    spared, key = set(), '{ env = "BRAVE_API_KEY" }'
    match holder:
        case "environment":
            home.environ["BRAVE_API_KEY"] = KEY
        case "file":
            (home.folder / "brave.key").write_text(f"{KEY}\n")
            (home.folder / "brave.key").chmod(0o600)
            spared, key = {"brave.key"}, '{ file = "brave.key" }'
        case "credential":
            (elsewhere / "BRAVE_API_KEY").write_text(KEY)
            home.environ["CREDENTIALS_DIRECTORY"] = str(elsewhere)
        case _:
            (elsewhere / "brave").write_text(f"{KEY}\n")
            home.environ["BRAVE_API_KEY_FILE"] = str(elsewhere / "brave")
    (home.folder / "config.toml").write_text(
        '[owner]\nname = "Jane Example"\n[[search]]\nkind = "brave"\npages = 1\n'
        f'url = "{server}/brave"\nkey = {key}\n[fetch]\nspacing = "0s"\n[web]\nport = 0\n{extra}'
    )
    return spared


@pytest.fixture
def server() -> Iterator[Replay]:
    landing = Answer(200, b"<p>landed</p>", {"Content-Type": "text/html"})
    with Replay({"/brave": Answer(500), "/landing": landing}) as server:
        yield server


@pytest.mark.parametrize("name", ANSWERS)
def test_no_outcome_keeps_or_says_the_key(
    home: Home, server: Replay, name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    spared = plant(home, server.url, HOLDERS[list(ANSWERS).index(name) % len(HOLDERS)])
    server.routes["/brave"], wanted = ANSWERS[name]  # type: ignore[assignment]
    monkeypatch.setattr("os.environ", home.environ)
    monkeypatch.chdir(home.folder)
    for args in (["check"], ["status"], ["status", "--json"], ["reread"]):
        monkeypatch.setattr("sys.argv", ["monitor", *args])
        with pytest.raises(SystemExit):
            main()
    out, err = capfd.readouterr()
    assert server.requests[0].headers["x-subscription-token"] == KEY
    assert home.rows("select outcome || ' ' || reason from readings where \"trigger\" = 'manual'") == [(wanted,)]
    assert leaks(KEY, kept(home.folder, spared) | {"said": (out + err).encode()}) == []


@pytest.mark.parametrize("holder", HOLDERS)
def test_each_holder_is_asked_and_none_tells(home: Home, server: Replay, holder: str) -> None:
    spared = plant(home, server.url, holder)
    server.routes["/brave"] = echo(200, good_with_key)
    done = home.run("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [request.headers["x-subscription-token"] for request in server.requests] == [KEY]
    assert "***" in home.rows("select title from texts where title like 'echo%'")[0][0]
    assert leaks(KEY, kept(home.folder, spared) | {"said": (done.stdout + done.stderr).encode()}) == []


def test_a_fault_of_a_parser_leaves_a_traceback_without_the_key(home: Home, server: Replay) -> None:
    plant(home, server.url, "environment")
    server.routes["/brave"] = echo(200, every_way)
    faulty = (
        "import sys; from monitor.sources.search import brave; from monitor.cli import main\n"
        "def parse(self, capture, ctx): raise RuntimeError(f'a fault in {capture.body!r} {capture} {self} {ctx}')\n"
        "brave.Brave.parse = parse; sys.argv[0] = 'monitor'; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", faulty, "check"],
        cwd=home.folder, env=home.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert home.rows("select outcome, reason from readings") == [("changed", "parser_error")]
    assert "a fault in b'{" in home.rows("select note from readings")[0][0]
    assert leaks(KEY, kept(home.folder, set()) | {"said": (done.stdout + done.stderr).encode()}) == []


def test_a_fault_outside_the_parsers_is_logged_without_the_key(home: Home, server: Replay) -> None:
    """The worst case: a bug right where the key is at hand, told with its traceback on the terminal."""
    plant(home, server.url, "environment")
    faulty = (
        "import sys; from monitor.fetch import http; from monitor.cli import main\n"
        "def _body(self, *args): raise RuntimeError('a fault')\n"
        "http.HttpFetcher._body = _body; sys.argv[0] = 'monitor'; main()"
    )
    server.routes["/brave"] = Answer(200, GOOD, JSON)
    done = subprocess.run(
        [sys.executable, "-c", faulty, "check"],
        cwd=home.folder, env=home.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "a fault" in done.stderr
    assert leaks(KEY, kept(home.folder, set()) | {"said": (done.stdout + done.stderr).encode()}) == []


def test_a_running_monitor_shows_the_key_to_nobody(home: Home, server: Replay) -> None:
    """Its arguments, its database while it is open, and every page that it serves."""
    spared = plant(home, server.url, "file", f'[[search]]\nkind = "duckduckgo"\nurl = "{server.url}/html/"\n')
    server.routes["/html/"] = Answer(200, DUCK, {"Content-Type": "text/html"})
    server.routes["/brave"] = echo(200, good_with_key)
    with home.running() as (process, address):
        home.wait_for("select count(*) from readings where outcome = 'ok'", [(2,)])
        server.routes["/brave"] = echo(401, every_way)
        home.run("check", "brave")
        places = {"arguments": Path(f"/proc/{process.pid}/cmdline").read_bytes()} | kept(home.folder, spared)
        assert any(name.endswith("-wal") for name in places)
        names = [row[0] for row in home.rows("select name from sqlite_master where type in ('table', 'view')")]
        pages = ["/", "/presence", "/-/metadata.json", "/-/settings.json", "/-/threads.json", "/presence?sql=select+1"]
        for name in names:
            pages += [f"/presence/{name}", f"/presence/{name}.json?_shape=array&_size=max"]
        pages += ["/presence/readings/1", "/presence/exchanges/1,1.json", "/no-such-page"]
        for page in pages:
            status, text, headers = get(address, page)
            assert status in (200, 302, 403, 404), (page, text)
            places[page] = f"{text}\n{headers}".encode()
    places["said"] = (home.folder / "said.txt").read_bytes()
    assert b"***" in places["/presence/texts"]
    assert leaks(KEY, places) == []


def test_arguments_of_a_check_under_way_hold_no_key(home: Home, server: Replay) -> None:
    plant(home, server.url, "environment")
    server.routes["/brave"] = Answer(200, GOOD, JSON, drip=0.05)
    process = subprocess.Popen(
        [*MONITOR, "check"], cwd=home.folder, env=home.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 30
        while not server.requests and time.monotonic() < until:
            time.sleep(0.02)
        assert server.requests
        assert leaks(KEY, {"arguments": Path(f"/proc/{process.pid}/cmdline").read_bytes()}) == []
    finally:
        process.kill()
        process.wait(10)
    assert leaks(KEY, kept(home.folder, set())) == []
