"""Config: what is valid, and what an owner is told about what is not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from monitor import config
from monitor.config_errors import ConfigError
from tests.conftest import ROOT

OWNER = '[owner]\nname = "Ada Example"\ntimezone = "Europe/Berlin"\n'


def parse(text: str) -> config.Settings:
    return config.parse(text, Path("/home/ada/config.toml"))


def problems(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value)


def test_only_an_owner_is_enough() -> None:
    settings = parse('[owner]\nname = "Ada Example"\n')
    assert settings.sources == ()
    assert settings.database == Path("/home/ada/presence.db")
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8001)


def test_the_shipped_file_works_as_it_stands() -> None:
    settings = config.read(ROOT / "config.toml")
    assert [s.name for s in settings.sources] == ["duckduckgo/david-klemke", "access_log"]
    assert settings.labels == ()
    assert all(value.env or value.file for value in [getattr(s.source, "key", None) for s in settings.sources] if value)


def test_every_commented_block_of_the_shipped_file_is_valid() -> None:
    """Taking the # away gives a file that works: examples do not go stale."""
    lines = (ROOT / "config.toml").read_text().splitlines()
    keys = [line[2:] if line.startswith("# ") and ("=" in line or line.startswith("# [")) else line for line in lines]
    text = "\n".join(line for line in keys if not line.startswith("# "))
    text = text.replace("[labels]\n", "[labels]\n", 1)
    settings = parse(text)
    kinds = {s.source.kind for s in settings.sources}
    assert {"duckduckgo", "brave", "access_log", "github"} <= kinds


def test_a_search_asks_for_the_owner_when_no_query_is_written() -> None:
    (source,) = parse(OWNER + '[[search]]\nkind = "duckduckgo"\n').sources
    assert source.source.series().query == "Ada Example"
    assert source.name == "duckduckgo/ada-example"
    assert source.day_zone == "Europe/Berlin"


def test_several_queries_make_several_sources_meant_by_one_block_name() -> None:
    settings = parse(OWNER + '[[search]]\nkind = "duckduckgo"\nname = "ddg"\nqueries = ["Ada E", "Example, Ada"]\n')
    assert [s.name for s in settings.sources] == ["ddg/ada-e", "ddg/example-ada"]
    assert len(settings.named("ddg")) == 2
    assert len(settings.named("ddg/ada-e")) == 1
    assert settings.named("nonsense") == ()


def test_all_mistakes_at_once_each_with_its_line_and_the_nearest_right_key() -> None:
    text = (
        '[owner]\nname = "Ada"\ntimezone = "Europe/Berln"\n\n'
        '[[search]]\nkind = "duckduckgo"\nevry = "1d"\n\n'
        '[[search]]\nkind = "duckduckgoo"\n\n'
        '[web]\nport = "8001"\n\n[serch]\n'
    )
    said = problems(text)
    assert 'config.toml:3: owner.timezone: no such time zone - did you mean "Europe/Berlin"?' in said
    assert 'config.toml:7: search.0.evry: unknown key - did you mean "every"?' in said
    assert 'config.toml:10: search.1.kind: no such source "duckduckgoo" - did you mean "duckduckgo"?' in said
    assert "config.toml:13: web.port: " in said
    assert 'serch: unknown section - did you mean "search"?' in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "owner: is missing"),
        ("[owner]\n", "owner.name: "),
        ("[owner\n", "is not valid TOML"),
        (OWNER + '[[search]]\nkind = "duckduckgo"\nevery = "6h"\n', "at most once a day"),
        (OWNER + '[[search]]\nkind = "duckduckgo"\nevery = "daily"\n', "every is a number and a unit"),
        (OWNER + '[[search]]\nkind = "duckduckgo"\nat = "25:00"\n', "at is a time of day"),
        (OWNER + '[search]\nkind = "duckduckgo"\n', "write [[search]]"),
        (OWNER + '[[search]]\nqueries = ["x"]\n', "kind is missing"),
        (OWNER + '[store]\nkeep_captures = "long"\n', "store.keep_captures: a span is a number and a unit"),
        (OWNER + '[web]\nhost = "0.0.0.0"\n', "web.host: the pages are served to this machine only"),
        (OWNER + '[web]\nmode = "password"\nhost = "0.0.0.0"\n', "web.password: is missing: mode"),
        (OWNER + '[web]\npassword = { env = "X" }\n', "web.password: goes with mode"),
        (OWNER + '[web]\nmode = "password"\npassword = "hunter2"\n', "web.password: a secret is named, never written"),
        (OWNER + '[web]\nmode = "public"\n', "web.mode: should be 'local' or 'password'"),
        (OWNER + '[labels]\nmine = ["not a host"]\n', "labels.mine"),
        (OWNER + '[labels]\nmine = ["a.example"]\nnamesake = ["a.example"]\n', "is labelled twice"),
        (OWNER + '[[search]]\nkind = "brave"\nkey = "abcdef"\n', "search.0.key"),
        (OWNER + '[[search]]\nkind = "brave"\nkey = { env = "A", file = "b" }\n', "one of the two"),
        (OWNER + 2 * '[[search]]\nkind = "duckduckgo"\n', 'two sources are called "duckduckgo/ada-example"'),
        (OWNER + '[[profiles]]\nkind = "github"\n', "profiles.0"),
        (OWNER + '[[contacts]]\nkind = "fax"\n', 'no such source "fax"'),
    ],
)
def test_what_is_said_about_a_broken_file(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_secret_written_into_the_file_is_refused_and_not_repeated() -> None:
    assert "hunter2" not in problems(OWNER + '[[search]]\nkind = "brave"\nkey = "hunter2"\n')


def test_spans() -> None:
    assert config.read_span("90d") == timedelta(days=90)
    assert config.read_span("0s") == timedelta()
    for wrong in ("", "d", "1w", "-1d", "1.5h", "１d"):
        with pytest.raises(ValueError, match="a span is"):
            config.read_span(wrong)


def test_a_missing_file_is_said_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file; write one with"):
        config.read(tmp_path / "config.toml")


def test_a_ca_file_must_be_there_and_hold_a_certificate(tmp_path: Path) -> None:
    def said(ca_file: str) -> str:
        with pytest.raises(ConfigError) as caught:
            config.parse(f'{OWNER}[fetch]\nca_file = "{ca_file}"\n', tmp_path / "config.toml")
        return str(caught.value)

    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (tmp_path / "key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "empty.pem").write_bytes(b"")
    settings = config.parse(f'{OWNER}[fetch]\nca_file = "ca.pem"\n', tmp_path / "config.toml")
    assert settings.fetch.ca_file == "ca.pem"
    assert said("gone.pem") == f"{tmp_path}/config.toml:5: fetch.ca_file: no such file: {tmp_path}/gone.pem"
    assert "holds no certificate" in said("key.pem")
    assert "holds no certificate" in said("empty.pem")
    assert "cannot be read" in said(".")
