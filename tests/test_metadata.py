"""The metadata file describes the database that there is, and its questions can be asked."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from monitor.web.serve import FILE, KEY, for_database, load_metadata, make_datasette
from tests import web_data

METADATA = load_metadata()
TABLES = METADATA["databases"][KEY]["tables"]
QUERIES = METADATA["databases"][KEY]["queries"]
FOREIGN = {"_sqlite_migrations", "_monitor_views"}  # made when the store migrates, not by our SQL


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Each table and view of the SQL files with its columns."""
    db = sqlite3.connect(web_data.empty(tmp_path_factory.mktemp("schema") / "presence.db"))
    names = [row[0] for row in db.execute("select name from sqlite_master where type in ('table', 'view')")]
    return {name: [row[1] for row in db.execute(f'pragma table_info("{name}")')] for name in names}


def test_every_table_and_view_is_described_and_none_is_stale(schema: dict[str, list[str]]) -> None:
    assert set(TABLES) - FOREIGN == {name for name in schema if not name.startswith("sqlite_")}


def test_every_column_is_described_and_none_is_stale(schema: dict[str, list[str]]) -> None:
    for name, described in TABLES.items():
        if "columns" in described:
            assert set(described["columns"]) == set(schema[name]), name
            assert described["description"].endswith("."), name
        else:
            assert described == {"hidden": True}, name
            assert name in FOREIGN or name.startswith("texts_fts"), name


def test_settings_name_columns_that_exist(schema: dict[str, list[str]]) -> None:
    for name, described in TABLES.items():
        named = [described[k] for k in ("sort", "sort_desc", "label_column", "fts_pk") if k in described]
        assert set(named + described.get("facets", [])) <= set(schema.get(name, [])), name


@pytest.mark.parametrize("kind", ["empty", "filled"])
async def test_every_question_is_answered(kind: str, tmp_path: Path) -> None:
    ds = make_datasette(getattr(web_data, kind)(tmp_path / "presence.db"), METADATA)
    await ds.invoke_startup()
    assert len(QUERIES) >= 10
    for name, query in QUERIES.items():
        assert query["title"].endswith("?"), name
        for words in ("", "title", "it's \"odd"):
            page = await ds.client.get(f"/presence/{name}", params={"words": words} if ":words" in query["sql"] else {})
            assert page.status_code == 200, f"{name}: {page.text}"
            rows = (await ds.client.get(f"/presence/{name}.json", params={"words": words, "_shape": "array"})).json()
            assert isinstance(rows, list), f"{name}: {rows}"
            if kind == "filled" and words in ("title", "Title"):
                assert rows, f"{name} has no answer"


def test_no_question_stands_in_the_way_of_a_table_or_view() -> None:
    assert set(QUERIES) & set(METADATA["databases"]["presence"]["tables"]) == set()  # the question would be shown


@pytest.mark.parametrize("kind", ["empty", "filled"])
async def test_every_table_and_view_opens(kind: str, tmp_path: Path, schema: dict[str, list[str]]) -> None:
    ds = make_datasette(getattr(web_data, kind)(tmp_path / "presence.db"), METADATA)
    await ds.invoke_startup()
    for name in schema:
        if name.startswith("texts_fts_"):  # internals of the full-text search, which Datasette 1.0 does not show
            continue
        page = await ds.client.get(f"/presence/{name}")
        assert page.status_code == 200, f"{name}: {page.text[:300]}"


async def test_descriptions_follow_the_file_name(tmp_path: Path) -> None:
    ds = make_datasette(web_data.empty(tmp_path / "my life.db"), METADATA)
    await ds.invoke_startup()
    page = await ds.client.get("/my~20life/current_ranks")
    assert "Best place of a page labelled mine" in page.text
    assert (await ds.client.get("/my~20life/ranks_now")).status_code == 200


def test_another_file_s_own_metadata_is_left_alone() -> None:
    own = {"databases": {"life": {"title": "Mine"}, KEY: {"title": "Packaged"}}}
    assert for_database(own, "life") == own
    assert for_database({}, "life") == {"databases": {}}


def test_a_file_beside_the_config_comes_first(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"title": "Mine"}), encoding="utf-8")
    assert load_metadata(tmp_path) == {"title": "Mine"}
    assert load_metadata(tmp_path / "elsewhere") == METADATA


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=FILE):
        load_metadata(tmp_path)
