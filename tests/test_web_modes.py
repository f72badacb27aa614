"""Password mode on the real server, and what it refuses to start without."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from monitor.web import modes, safety
from monitor.web.pages import PAGES
from monitor.web.serve import load_metadata, make_datasette, server
from tests import web_data
from tests.conftest import ROOT

HEAD = '[owner]\nname = "Ada Example"\n[web]\nport = 0\n'
HTML = {"Accept": "text/html"}
WORD = "correct horse"


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of `WORD`; skips the test where the optional package is not installed."""
    if find_spec("datasette_auth_passwords") is None:
        said = "datasette-auth-passwords is not installed: pip install -r requirements-test.txt"
        (pytest.fail if os.environ.get("MONITOR_PARTS") == "all" else pytest.skip)(said)
    from datasette_auth_passwords.utils import hash_password

    return str(hash_password(WORD, salt="0" * 32, iterations=1000))


class Browser:
    """A client with cookies that says which host it asks."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.port, self.host, self.cookies = port, host, dict[str, str]()

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: str = "") -> tuple[Any, str]:
        conn = HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookie = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())} if self.cookies else {}
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        conn.request(method, path, body or None, {"Host": self.host, **cookie, **kind, **(headers or {})})
        answer = conn.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        conn.close()
        return answer, text

    def post(self, path: str, page: str, **fields: str) -> tuple[Any, str]:
        """Send a form of this page, with its token where there is one."""
        found = re.search(r'name="csrftoken" value="([^"]*)"', page)
        fields["csrftoken"] = found[1] if found else ""
        return self.ask("POST", path, {"Sec-Fetch-Site": "same-origin"}, urlencode(fields))

    def sign_in(self, password: str = WORD, user: str = "owner") -> int:
        _, page = self.ask("GET", "/-/login", HTML)
        return int(self.post("/-/login", page, username=user, password=password)[0].status)


@contextmanager
def serving(history: Path, password_hash: str, metadata: Any = None, **options: Any) -> Iterator[Browser]:
    ds = make_datasette(history, metadata or load_metadata(), mode="password", password_hash=password_hash, **options)
    running = server(ds.app(), "127.0.0.1", 0)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not running.started and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield Browser(running.servers[0].sockets[0].getsockname()[1])
    finally:
        running.should_exit = True
        thread.join(20)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return web_data.filled(tmp_path / "presence.db", days=5)


OURS = [re.sub(r"\(\?P<\w+>[^)]*\)", "1", page.path).replace("\\", "") for page in PAGES]
PATHS = [
    *("/", "/.json", "/presence", "/presence.json", "/presence.db", "/presence/readings", "/presence/readings.json"),
    *("/presence/readings.csv", "/presence/readings.csv?_stream=1", "/presence/urls/1", "/presence/ranks_now"),
    *("/presence?sql=select+1", "/presence.json?sql=select+1", "/presence/-/query?sql=select+1", "/_internal"),
    *("/-/databases.json", "/-/plugins.json", "/-/versions", "/-/settings.json", "/-/metadata.json", "/-/config.json"),
    *("/-/actor.json", "/-/threads.json", "/-/patterns", "/-/permissions", "/-/allow-debug", "/-/password-tool"),
    *(
        "/-/presence/nowhere",
        "/nowhere",
        "/-/logout",
        "/-/login/",
        "/-/login/..",
        "/-/static/../../presence",
        "/-/static/%2e%2e/presence",
        "/%2D/login",
        "/-/login%2F..",
        "/-/login%3F/../presence",
    ),
    *("/-/presence/reading/1", "/-/presence/capture/" + "0" * 64, *(f"/-/presence/{path}" for path in OURS)),
]


def test_nobody_sees_anything_before_signing_in(history: Path, password_hash: str) -> None:
    with serving(history, password_hash) as anonymous:
        for path in PATHS:
            answer, text = anonymous.ask("GET", path, HTML)
            assert (answer.status, answer.headers["location"]) == (302, "/-/login"), path
            answer, text = anonymous.ask("GET", path)
            assert answer.status == 403, path
            assert "Ada" not in text, path
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
                assert anonymous.ask(method, path)[0].status == 403, (method, path)
            for name, value in safety.HEADERS.items():
                assert answer.headers.get_all(name) == [value], (path, name)
        answer, text = anonymous.ask("GET", "/-/login")
        assert answer.status == 200
        assert "Ada" not in text
        assert anonymous.ask("GET", "/-/static/app.css")[0].status == 200
        assert anonymous.ask("GET", "/-/static-plugins/presence_monitor/home.css")[0].status == 200


def test_signing_in_and_out(history: Path, password_hash: str) -> None:
    with serving(history, password_hash) as browser:
        for word, user in (("wrong", "owner"), ("", "owner"), (WORD, "root"), (WORD, ""), (password_hash, "owner")):
            assert browser.sign_in(word, user) == 200
            assert browser.ask("GET", "/", HTML)[0].status == 302
        assert browser.sign_in() == 302
        answer, page = browser.ask("GET", "/", HTML)
        assert answer.status == 200
        assert "Ada Example" in page
        for path in (
            "/presence/readings.json",
            "/presence/readings.csv",
            "/-/presence/label",
            "/presence?sql=select+1",
        ):
            assert browser.ask("GET", path)[0].status in (200, 302), path
        answer, _ = browser.post("/-/logout", page)
        assert answer.status == 302
        assert browser.ask("GET", "/", HTML)[0].status == 302


@pytest.mark.parametrize(
    "value",
    ["", "x", "e30", "eyJhIjp7ImlkIjoib3duZXIifX0", "eyJhIjp7ImlkIjoib3duZXIifX0.AAAAAAAAAAAAAAAAAAAAAAAAAAA"],
)
def test_a_made_up_cookie_opens_nothing(history: Path, password_hash: str, value: str) -> None:
    with serving(history, password_hash) as browser:
        browser.cookies["ds_actor"] = value
        assert browser.ask("GET", "/", HTML)[0].status == 302
        for authorization in ("Basic", "Basic !!!", "Basic b3duZXI=", "Basic /////w==", "Bearer owner", "Basic  "):
            assert browser.ask("GET", "/", {"Authorization": authorization})[0].status == 403, authorization


def test_another_actor_is_not_the_owner(history: Path, password_hash: str) -> None:
    ds = make_datasette(history, {}, mode="password", password_hash=password_hash)
    with serving(history, password_hash, secret=ds._secret) as browser:
        browser.cookies["ds_actor"] = ds.sign({"a": {"id": "guest"}}, "actor")
        assert browser.ask("GET", "/", HTML)[0].status == 302
        browser.cookies["ds_actor"] = ds.sign({"a": {"id": "owner"}}, "actor")
        assert browser.ask("GET", "/", HTML)[0].status == 200


def test_allow_blocks_of_the_metadata_open_nothing(history: Path, password_hash: str) -> None:
    table = {"readings": {"allow": True}}
    metadata = {"allow": True, "allow_sql": True, "databases": {"presence": {"allow": True, "tables": table}}}
    with serving(history, password_hash, metadata) as browser:
        for path in ("/", "/presence", "/presence/readings.json", "/-/presence/reading/1"):
            assert browser.ask("GET", path)[0].status == 403, path


async def test_without_the_gate_datasette_itself_lets_nobody_in(
    history: Path, password_hash: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "gate", lambda app, datasette: app)
    ds = make_datasette(history, load_metadata(), mode="password", password_hash=password_hash)
    await ds.invoke_startup()
    for path in ("/", "/presence", "/presence/readings.json", "/presence/readings.csv", "/presence.json?sql=select+1"):
        answer = await ds.client.get(path)
        assert answer.status_code in (302, 403) or "Ada" not in answer.text, path
    for path in ("/-/presence/reading/1", "/-/presence/label", "/-/presence/changes.atom"):
        assert (await ds.client.get(path)).status_code == 403, path
    assert (await ds.client.get("/-/metadata.json")).status_code in (403, 404)


def test_a_strange_host_is_refused_in_this_mode_too(history: Path, password_hash: str) -> None:
    with serving(history, password_hash, allowed_hosts=["monitor.example"]) as browser:
        for path in ("/", "/-/login", "/-/static/app.css"):
            answer, text = Browser(browser.port, "evil.example").ask("GET", path)
            assert answer.status == 403, path
            assert "allowed_hosts" in text
        assert Browser(browser.port, "monitor.example").ask("GET", "/-/login")[0].status == 200


def test_a_restart_signs_nobody_out(history: Path, password_hash: str) -> None:
    with serving(history, password_hash) as browser:
        assert browser.sign_in() == 302
        cookies = browser.cookies
    secret = history.with_name("presence.secret")
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    with serving(history, password_hash) as browser:
        browser.cookies = cookies
        assert browser.ask("GET", "/", HTML)[0].status == 200
    secret.unlink()
    with serving(history, password_hash) as browser:
        browser.cookies = cookies
        assert browser.ask("GET", "/", HTML)[0].status == 302


def test_the_owner_labels_and_nobody_else(tmp_path: Path, password_hash: str) -> None:
    from monitor.store import readings, sources
    from monitor.store.connection import Store
    from tests.made import DUCK, NOW, reading, settings

    history = tmp_path / "presence.db"
    with Store(history) as store:
        ids = sources.sync(store, settings(tmp_path, DUCK), NOW)
        readings.save(store, ids["duckduckgo/ada-example"], reading("https://ada.example/"))
    fields = {"pattern": "ada.example", "whose": "mine"}
    with serving(history, password_hash) as browser:
        assert browser.post("/-/presence/label", "", **fields)[0].status == 403
        assert browser.sign_in() == 302
        _, page = browser.ask("GET", "/-/presence/label?url=1", HTML)
        assert browser.post("/-/presence/label", page, **fields)[0].status == 303
        assert "1 known page changed hands" in browser.ask("GET", "/", HTML)[1]


def test_links_follow_the_base_url_behind_the_gate(history: Path, password_hash: str) -> None:
    with serving(history, password_hash, settings={"base_url": "/me/"}) as browser:
        answer, _ = browser.ask("GET", "/me/presence/readings", HTML)
        assert (answer.status, answer.headers["location"]) == (302, "/me/-/login")
        assert browser.ask("GET", "/me/-/login")[0].status == 200
        assert browser.ask("GET", "/presence/readings")[0].status == 403


@pytest.mark.parametrize(
    "text",
    ["", "zz", "a" * 10, "a" * 63],
)
def test_a_secret_that_is_none_of_ours_is_not_used(tmp_path: Path, text: str) -> None:
    (tmp_path / "presence.secret").write_text(text)
    (tmp_path / "presence.secret").chmod(0o600)
    with pytest.raises(modes.NotReady, match="remove it"):
        modes.kept_secret(tmp_path / "presence.db")


def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    secret = modes.kept_secret(tmp_path / "presence.db")
    assert modes.kept_secret(tmp_path / "presence.db") == secret
    (tmp_path / "presence.secret").chmod(0o640)
    with pytest.raises(modes.NotReady, match="chmod 600"):
        modes.kept_secret(tmp_path / "presence.db")


def started(folder: Path, web: str, code: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.toml").write_text(HEAD + web)
    command = ["-c", code] if code else ["-m", "monitor", "run"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}", **environ}
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )


NAMED = 'mode = "password"\npassword = { env = "ADA_HASH" }\n'


def test_it_does_not_start_without_what_protects_it(tmp_path: Path, password_hash: str) -> None:
    refused = started(tmp_path, NAMED)
    assert refused.returncode == 78
    assert "[web] password: the environment variable ADA_HASH is not to be had" in refused.stderr
    refused = started(tmp_path, NAMED, ADA_HASH=WORD)
    assert refused.returncode == 78
    assert "datasette hash-password" in refused.stderr
    assert WORD not in refused.stderr
    (tmp_path / "hash").write_text(password_hash)
    (tmp_path / "hash").chmod(0o644)
    refused = started(tmp_path, 'mode = "password"\npassword = { file = "hash" }\n')
    assert refused.returncode == 78
    assert "chmod 600" in refused.stderr
    assert not (tmp_path / "presence.db").exists()


def test_it_does_not_start_without_the_package(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as u\nkept = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'datasette_auth_passwords' else kept(name, *a)\n"
        "from monitor.cli import main\nsys.argv = ['monitor', 'run']\nmain()\n"
    )
    known = "pbkdf2_sha256$1000$00$" + "A" * 43 + "="
    refused = started(tmp_path, NAMED, code, ADA_HASH=known)
    assert refused.returncode == 78
    assert 'pip install "presence-monitor[password]"' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("place", ["env", "file", "credential", "env_file"])
def test_run_serves_behind_the_password_wherever_the_hash_is(tmp_path: Path, password_hash: str, place: str) -> None:
    from tests.test_run import running

    kept = tmp_path / "ADA_HASH"
    kept.write_text(f"{password_hash}\n")
    kept.chmod(0o600)
    named = 'mode = "password"\npassword = { file = "ADA_HASH" }\n' if place == "file" else NAMED
    environ = {
        "env": {"ADA_HASH": password_hash},
        "file": {},
        "credential": {"CREDENTIALS_DIRECTORY": str(tmp_path)},
        "env_file": {"ADA_HASH_FILE": str(kept)},
    }[place]
    (tmp_path / "config.toml").write_text(HEAD + named)
    path = {"PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"}
    with running(tmp_path, **environ, **path) as monitor:
        port = int(monitor.says(r"Open http://127.0.0.1:(\d+)")[1])
        browser = Browser(port)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                answer, _ = browser.ask("GET", "/", HTML)
                break
            except OSError:
                time.sleep(0.05)
        assert answer.status == 302
        assert browser.sign_in("wrong") == 200
        assert browser.sign_in() == 302
        assert browser.ask("GET", "/", HTML)[0].status == 200
        assert password_hash not in browser.ask("GET", "/-/metadata.json")[1]
        monitor.process.terminate()
        assert monitor.ends() == 0
    assert password_hash not in monitor.said
