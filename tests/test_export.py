"""The extract that may be shown to others: what is in it, and that nothing else is, not even as bytes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from monitor.cli import cli
from monitor.store import readings, sources
from monitor.store.connection import Store, StoreError
from monitor.store.extract import EXTRACT_ID, LEFT_OUT, PARTS, write_extract
from monitor.web.serve import load_metadata, make_datasette
from tests import web_data
from tests.made import DUCK, NOW, reading, settings
from tests.web_data import Data

PRIVATE = (
    *("people-finder", "wiki.example", "painter", "site1.example", "Title of"),  # others' pages
    *("old resume", "inmail", "caller-note"),  # contacts
    *("search.example", "news.example", "chat.example"),  # referrers
    *(
        "advice-text",
        "note-text",
        "for a captcha",
        "did not answer in time",
        "secret-query",
        "/var/log",
        "private-remark",
    ),
    *("pattern", "label_id", "namesake_"),
)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = web_data.filled(tmp_path / "presence.db", days=40)
    with closing(sqlite3.connect(path)) as db:
        add = Data.__new__(Data)
        add.db = db
        other = add.source("bing/secret-query", query="secret-query")
        add.page(other, 0, web_data.results(2))
        add.reading(other, 1, "failed", "timeout", advice="advice-text", note="note-text")
        log = db.execute("select id from sources where measure = 'page_views'").fetchone()[0]
        add.insert(
            "log_files",
            source_id=log,
            name="/var/log/nginx/access.log",
            dev=1,
            ino=1,
            size=1,
            mtime_ns=1,
            offset=1,
            head_len=0,
            head_hash="",
            tail_hash="",
            done=0,
            first_seen="2026",
            last_seen="2026",
        )
        db.execute("update events set note = 'private-remark'")
        db.execute("update contacts set note = 'caller-note'")
        db.commit()
    return path


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def test_nothing_private_is_in_the_file_even_as_bytes(history: Path, tmp_path: Path) -> None:
    write_extract(history, tmp_path / "public.db", ["Ada Example"], paths=100)
    private, public = history.read_bytes(), (tmp_path / "public.db").read_bytes()
    for text in PRIVATE[:-3]:
        assert text.encode() in private, f"{text} would prove nothing"
    for text in PRIVATE:
        assert text.encode() not in public, text
    urls = {row[0] for row in rows(tmp_path / "public.db", "select distinct url from daily_ranks")}
    assert urls == {None, "https://ada.example/"}


def test_a_hostile_stranger_is_not_in_it(tmp_path: Path) -> None:
    hostile = web_data.hostile(tmp_path / "h.db")
    with closing(sqlite3.connect(hostile)) as db:
        db.execute("update sources set settings = '{}'")  # site, query and profile are the owner's own words
        db.execute("delete from counts")
        db.commit()
    write_extract(hostile, tmp_path / "public.db", ["Ada Example"])
    public = (tmp_path / "public.db").read_bytes()
    assert b"<script>" not in public
    assert b"javascript:" not in public


def test_what_is_in_it_is_what_the_history_says(history: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.db"
    counted = write_extract(history, public, ["ada  EXAMPLE"])
    own = "source_id in (select id from sources where query = 'Ada Example')"
    for columns, table, where in (
        ("day, engine, position, depth", "daily_ranks", own),
        ("day, engine, mine, seen, share", "page_one_share", own),
        ("day, site, views, visitors", "daily_page_views", "1"),
        ("day, profile, metric, window, value, state", "profile_counts", "1"),
        ("day, title", "events", "1"),
        ("day, engine, milestone", "milestones", own),
    ):
        said = rows(public, f"select {columns} from {table} order by {columns}")
        assert said == rows(history, f"select {columns} from {table} where {where} order by {columns}"), table
        assert len(said) == counted[table] > 0
    assert counted["gaps"] > 0
    assert "most_read" not in counted
    assert rows(public, "pragma integrity_check") == [("ok",)]


def test_the_manifest_says_what_is_there_and_what_is_not(history: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.db"
    write_extract(history, public, ["Ada Example"], paths=3)
    tables = {row[0] for row in rows(public, "select name from sqlite_master where type = 'table'")}
    assert tables == {*PARTS, "manifest"}
    listed = rows(public, "select what, rows from manifest where kind = 'table'")
    assert listed == [(name, rows(public, f"select count(*) from {name}")[0][0]) for name in PARTS]
    assert {row[0] for row in rows(public, "select what from manifest where kind = 'left out'")} == set(LEFT_OUT)
    assert len(rows(public, "select * from most_read")) == 3


def test_the_first_day_can_be_chosen(history: Path, tmp_path: Path) -> None:
    public, first = tmp_path / "public.db", web_data.day(5)
    write_extract(history, public, ["Ada Example"], since=date.fromisoformat(first))
    for table in set(PARTS) - {"most_read", "weekly_page_views"}:
        assert all(row[0] >= first for row in rows(public, f"select day from {table}")), table
    assert rows(public, "select min(day) from daily_ranks") == [(first,)]
    assert first in rows(public, "select said from manifest where kind = 'about'")[0][0]


def test_equal_histories_make_equal_files(history: Path, tmp_path: Path) -> None:
    for name in ("one.db", "two.db"):
        write_extract(history, tmp_path / name, ["Ada Example"], paths=9)
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()
    write_extract(history, tmp_path / "one.db", ["Ada Example"])  # an extract may be written again
    assert (tmp_path / "one.db").read_bytes() != (tmp_path / "two.db").read_bytes()


@pytest.mark.parametrize("body", [b"", b"a letter", None])
def test_a_file_that_is_no_extract_is_never_replaced(history: Path, tmp_path: Path, body: bytes | None) -> None:
    target = history if body is None else tmp_path / "letter.txt"
    if body is not None:
        target.write_bytes(body)
    before = target.read_bytes()
    with pytest.raises(StoreError, match="is no extract"):
        write_extract(history, target, ["Ada Example"])
    assert target.read_bytes() == before


def test_a_folder_that_is_not_there_is_said(history: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder of"):
        write_extract(history, tmp_path / "nowhere" / "public.db", ["Ada Example"])
    assert not list(tmp_path.glob("**/*.new*"))


def test_an_extract_that_fails_leaves_the_last_one(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = tmp_path / "public.db"
    write_extract(history, public, ["Ada Example"])
    before = public.read_bytes()

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("monitor.store.extract.sync", full)
    with pytest.raises(StoreError, match="full"):
        write_extract(history, public, ["Ada Example"], paths=3)
    assert public.read_bytes() == before
    assert not list(tmp_path.glob("*.new*"))


def test_the_command(tmp_path: Path) -> None:
    made = settings(tmp_path, DUCK + '[labels]\nmine = ["ada.example"]\n')
    run = CliRunner()
    config, public = ["--config", str(made.path)], tmp_path / "public.db"
    none = run.invoke(cli, [*config, "export", "--public", str(public)])
    assert "no history yet" in str(none.exception)
    assert not made.database.exists()
    with Store(made.database) as store:
        ids = sources.sync(store, made, NOW)
        readings.save(store, ids["duckduckgo/ada-example"], reading("https://b.example/", "https://ada.example/"))
    done = run.invoke(cli, [*config, "export", "--public", str(public)])
    assert done.exit_code == 0, done.output
    assert f"Written: {public}" in done.output
    assert rows(public, "select engine, position, url from daily_ranks") == [("duckduckgo", 2, "https://ada.example/")]
    assert b"b.example" not in public.read_bytes()
    assert run.invoke(cli, [*config, "export"]).exit_code == 2


def test_the_metadata_file_fits_it_too() -> None:
    (database,) = load_metadata()["databases"].values()
    for name, part in PARTS.items():
        there = {column.split()[0] for column in part.columns.split(",")}
        table = database["tables"].get(name, {})
        wanted = {table[key] for key in ("sort", "sort_desc") if key in table} | set(table.get("facets", ()))
        assert wanted <= there, name


async def test_datasette_shows_it_and_the_plugin_stays_away(history: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.db"
    write_extract(history, public, ["Ada Example"])
    assert rows(public, "pragma application_id") == [(EXTRACT_ID,)]
    ds = make_datasette(public, load_metadata())
    await ds.invoke_startup()
    home = await ds.client.get("/", headers={"host": "public.example"})
    assert home.status_code == 200
    assert "home.css" not in home.text
    for table in set(PARTS) - {"most_read"} | {"manifest"}:
        assert (await ds.client.get(f"/public/{table}")).status_code == 200, table
    assert (await ds.client.get("/-/presence/label")).status_code == 404
