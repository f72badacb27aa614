"""The key by which people are told apart: made once, kept to its owner, never lost unnoticed."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.store.backup import keep_backups
from monitor.store.connection import Store, StoreError
from monitor.store.local_key import hasher, path_of
from monitor.store.restore import restore
from tests.made import NOW


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "presence.db"
    Store(path).close()
    return path


def hashed(database: Path, text: str = "grace@example.net") -> str:
    with Store(database) as store:
        return hasher(store)(text)


def test_the_key_is_made_once_and_is_its_owners_alone(database: Path) -> None:
    first = hashed(database)
    assert stat.S_IMODE(path_of(database).stat().st_mode) == 0o600
    assert hashed(database) == first
    assert hashed(database, "another@example.net") != first
    assert path_of(database).read_bytes() not in database.read_bytes()
    assert [path.name for path in database.parent.glob("*.key*")] == ["presence.key"]


def test_many_threads_at_the_first_use_make_one_key(database: Path) -> None:
    with Store(database) as store, ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: hasher(store)("x"), range(16)))) == 1


def test_what_a_killed_process_left_is_in_nobodys_way(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.get_ident", lambda: 7)
    (database.parent / f"presence.key.{os.getpid()}-7").write_text("half")
    assert hashed(database)


def test_a_disk_without_second_names(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    first = hashed(database)
    assert hashed(database) == first


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda key: key.unlink(), "is gone"),
        (lambda key: key.write_text("0" * 64), "is not the key of this history"),
        (lambda key: key.write_text(key.read_text()[:20]), "is damaged"),
        (lambda key: key.write_text(""), "is damaged"),
        (lambda key: key.chmod(0o644), "chmod 600"),
    ],
)
def test_a_key_that_is_lost_or_another_is_told_and_none_is_made_in_its_place(
    database: Path, harm: object, said: str
) -> None:
    hashed(database)
    harm(path_of(database))  # type: ignore[operator]
    with pytest.raises(StoreError, match=said) as caught:
        hashed(database)
    assert caught.value.exit_code == 77


def test_a_backup_takes_the_key_along_and_a_restore_brings_it_back(database: Path) -> None:
    first = hashed(database)
    made = keep_backups(database, NOW)
    key = path_of(made.path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    path_of(database).unlink()
    restore(made.path, database, NOW)
    assert hashed(database) == first
    assert stat.S_IMODE(path_of(database).stat().st_mode) == 0o600


def test_a_restore_sets_another_key_aside_and_can_be_undone(database: Path) -> None:
    first = hashed(database)
    made = keep_backups(database, NOW)
    for path in (database, path_of(database)):
        path.unlink()
    Store(database).close()
    second = hashed(database)
    assert second != first
    done = restore(made.path, database, NOW)
    assert hashed(database) == first
    assert done.aside is not None
    restore(done.aside, database, NOW + timedelta(seconds=5))
    assert hashed(database) == second


def test_a_backup_without_a_key_leaves_the_present_one(database: Path) -> None:
    made = keep_backups(database, NOW)
    assert not path_of(made.path).exists()
    first = hashed(database)
    restore(made.path, database, NOW)
    assert path_of(database).exists()
    assert hashed(database) == first


def test_the_key_of_a_backup_goes_with_it(database: Path) -> None:
    hashed(database)
    for day in range(40):
        keep_backups(database, NOW + timedelta(days=day))
    folder = keep_backups(database, NOW + timedelta(days=41)).path.parent
    histories = {path.stem for path in folder.glob("presence-2*.db")}
    assert {path.stem for path in folder.glob("*.key")} == histories
    assert len(histories) < 20
