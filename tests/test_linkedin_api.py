"""LinkedIn's member interface: the rules of the export over pages, and nothing of anybody kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from monitor.collect import Task, collect
from monitor.importing import Importer
from monitor.importing_archives import take_export
from monitor.model import Contact, Count, Exchange, FetchFailed, Http, Outcome, Reading, Secret, Trigger
from monitor.sources import load
from monitor.sources.contacts.linkedin_api import LinkedInApi
from monitor.store import readings, record_text, sources
from monitor.store.connection import Store
from monitor.store.local_key import hasher
from tests.conftest import PAGES
from tests.made import DAY, NOW, exchange, settings

TWINS = PAGES / "linkedin-export" / "2026"
SOURCE = LinkedInApi(key=Secret(env="LINKEDIN_TOKEN"))
FILES = {"CONNECTIONS": "Connections.csv", "INVITATIONS": "Invitations.csv", "INBOX": "messages.csv"}
NOTHING = (404, {"status": 404, "message": "No data found for this member"})

Answer = tuple[int, object]


def rows_of(domain: str) -> list[dict[str, str]]:
    with (TWINS / FILES[domain]).open(newline="") as file:
        return list(csv.DictReader(file))


def page(domain: str, rows: list[dict[str, str]], following: int | None = None) -> Answer:
    links = [{"type": "application/json", "rel": "prev", "href": "/rest/memberSnapshotData?start=0"}]
    if following is not None:
        href = f"/rest/memberSnapshotData?count=10&domain={domain}&q=criteria&start={following}"
        links.append({"type": "application/json", "rel": "next", "href": href})
    elements = [{"snapshotDomain": domain, "snapshotData": rows}]
    return 200, {"paging": {"start": 0, "count": 10, "links": links, "total": 2}, "elements": elements}


def whole() -> dict[str, list[Answer]]:
    """Each domain on two pages; conversations are cut between them."""
    found = {}
    for domain in FILES:
        rows = rows_of(domain)
        found[domain] = [page(domain, rows[:1], following=1), page(domain, rows[1:])]
    return found


def asked(
    answers: dict[str, list[Answer | Exception]], log: list[Http] | None = None
) -> Callable[[Http, int], Exchange]:
    left = {domain: iter(pages) for domain, pages in answers.items()}

    def ask(request: Http, n: int) -> Exchange:
        if log is not None:
            log.append(request)
        params = {name: str(value) for name, value in request.params}
        answer = next(left[params["domain"]])
        if isinstance(answer, Exception):
            raise answer
        status, data = answer
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        return exchange(body, status, n, f"{request.url}?{urlencode(params)}")

    return ask


def attempt(answers: dict[str, list[Answer | Exception]], log: list[Http] | None = None, **more: object) -> Reading:
    options = {"hashed": lambda text: f"#{text}", "zone": ZoneInfo("Australia/Sydney"), **more}
    task = Task("linkedin", SOURCE, NOW, DAY, Trigger.SCHEDULE, **options)  # type: ignore[arg-type]
    (reading,) = collect(task, asked(answers, log), _no_files, lambda: NOW)
    return reading


def _no_files(request: object) -> Iterator[object]:
    raise AssertionError(request)


def contacts_of(reading: Reading) -> dict[str, str | None]:
    return {record.kind: record.sender_key for record in reading.records if isinstance(record, Contact)}


def test_the_table_knows_it() -> None:
    assert load("contacts", "linkedin_api") is LinkedInApi


def test_pages_are_read_as_one_domain_by_the_rules_of_the_export() -> None:
    log: list[Http] = []
    reading = attempt(whole(), log)
    assert (reading.outcome, reading.reason) == (Outcome.OK, "")
    assert contacts_of(reading) == {
        "request": "#linkedin:gia grove",
        "inmail": "#linkedin:hana hill",
        "message": "#linkedin:ben brook",  # begun on the page before
    }
    counts = {(c.metric, c.window): c.value for c in reading.records if isinstance(c, Count) and c.window == "now"}
    assert counts == {("connections", "now"): 2}
    assert "INBOX: 7 rows, 1 own, 1 sponsored, 0 rejected" in reading.note
    assert [dict(one.params).get("start") for one in log] == [None, "1"] * 3
    assert all(dict(one.headers)["LinkedIn-Version"] == "202312" for one in log)
    assert all(dict(one.headers)["Authorization"] == Secret(env="LINKEDIN_TOKEN", prefix="Bearer ") for one in log)


def test_nothing_of_anybody_is_kept_but_its_hash(tmp_path: Path) -> None:
    with Store(tmp_path / "presence.db") as store:
        made = settings(tmp_path, '[[contacts]]\nkind = "linkedin_api"\nkey = { env = "LINKEDIN_TOKEN" }\n')
        ids = sources.sync(store, made, NOW)
        reading = attempt(whole(), hashed=hasher(store))
        waiting = record_text.to_json(reading)  # as it would wait where the disk is full
        readings.save(store, ids["linkedin_api"], reading)
        assert [tuple(row.values()) for row in store.rows("select count(*) from captures")] == [(0,)]
        assert [tuple(r.values()) for r in store.rows("select count(*), count(capture_id) from exchanges")] == [(6, 0)]
    assert reading.note.count("sha256:") == 6
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("presence*")).lower() + waiting.lower().encode()
    for word in (b"brook", b"hana", b"grove", b"dear ada", b"in/ben", b"a role"):
        assert word not in kept


def test_what_an_export_told_is_no_second_contact(tmp_path: Path) -> None:
    with Store(tmp_path / "presence.db") as store:
        made = settings(tmp_path, '[[contacts]]\nkind = "linkedin_api"\nkey = { env = "LINKEDIN_TOKEN" }\n')
        ids = sources.sync(store, made, NOW)
        take_export(Importer(made, store, lambda: NOW), TWINS)
        before = store.rows("select * from contacts order by id")
        readings.save(store, ids["linkedin_api"], attempt(whole(), hashed=hasher(store)))
        assert len(before) == 3
        assert store.rows("select * from contacts order by id") == before


def test_no_data_found_is_empty_and_any_other_404_is_not() -> None:
    reading = attempt({domain: [NOTHING] for domain in FILES})
    assert (reading.outcome, reading.reason) == (Outcome.EMPTY, "no_results")
    other = attempt({**whole(), "CONNECTIONS": [(404, {"message": "Resource not found"})]})
    assert (other.outcome, other.records) == (Outcome.CHANGED, ())


@pytest.mark.parametrize(
    ("first", "outcome", "reason"),
    [
        ((401, {"message": "The token used in the request has expired"}), Outcome.BLOCKED, "denied"),
        ((403, {"message": "Not enough permissions"}), Outcome.BLOCKED, "denied"),
        ((429, {"message": "Too many"}), Outcome.BLOCKED, "rate_limited"),
        ((200, b"<html>"), Outcome.CHANGED, "layout_unknown"),
        ((200, {"elements": "none"}), Outcome.CHANGED, "layout_unknown"),
        ((200, {"elements": [{"snapshotDomain": "PROFILE", "snapshotData": []}]}), Outcome.CHANGED, "layout_unknown"),
        (page("CONNECTIONS", [{"Name": "x"}]), Outcome.CHANGED, "layout_unknown"),
        (
            page("CONNECTIONS", [{"First Name": "x", "Last Name": "", "Connected On": "?"}]),
            Outcome.CHANGED,
            "layout_unknown",
        ),
    ],
)
def test_a_refusal_or_another_shape_gives_no_number(first: Answer, outcome: Outcome, reason: str) -> None:
    reading = attempt({**whole(), "CONNECTIONS": [first]})
    assert (reading.outcome, reading.reason, reading.records) == (outcome, reason, ())
    if first[0] == 401:
        assert "60 days" in reading.advice


def test_a_domain_that_broke_off_gives_no_half_number() -> None:
    answers: dict[str, list[Answer | Exception]] = {**whole()}
    answers["CONNECTIONS"] = [answers["CONNECTIONS"][0], FetchFailed("timeout"), FetchFailed("timeout")]
    reading = attempt(answers)
    assert not [record for record in reading.records if isinstance(record, Count)]
    assert (reading.outcome, reading.reason) == (Outcome.FAILED, "timeout")
    answers = {**whole()}
    answers["INBOX"] = [answers["INBOX"][0], FetchFailed("timeout"), FetchFailed("timeout")]
    reading = attempt(answers)
    assert set(contacts_of(reading)) == {"request"}
    assert "timeout" in reading.note


def test_a_next_page_elsewhere_is_not_asked() -> None:
    status, data = page("CONNECTIONS", rows_of("CONNECTIONS"), following=1)
    data["paging"]["links"][1]["href"] = "https://evil.example/rest?domain=CONNECTIONS"  # type: ignore[index]
    log: list[Http] = []
    attempt({**whole(), "CONNECTIONS": [(status, data), page("CONNECTIONS", [])]}, log)
    assert {one.url for one in log} == {SOURCE.url}


def test_days_are_the_owners() -> None:
    reading = attempt(whole())
    (inmail,) = (r for r in reading.records if isinstance(r, Contact) and r.kind == "inmail")
    assert inmail.day == date(2026, 1, 1)
