"""Small invented databases for the web tests, made from the SQL files themselves. Nobody in them exists."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import monitor

SQL = Path(monitor.__file__).parent / "store" / "sql"
APPLICATION_ID = 0x4D4F4E49
TODAY = datetime.now(UTC).date()  # some views count back from SQLite's own today
NOON = datetime.combine(TODAY, time(12), UTC)  # what the clock of the pages says in tests

HOSTILE_TITLE = "<script>alert('x')</script><img src=x onerror=alert(1)> \u202egnp.exe"
HOSTILE_URL = "javascript:alert(document.domain)//x.example"


def day(ago: int) -> str:
    return (TODAY - timedelta(days=ago)).isoformat()


def instant(ago: int, clock: str = "06:30:00") -> str:
    return f"{day(ago)}T{clock}Z"


class Data:
    """A database under construction: each method writes one thing as the collector would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("pragma synchronous = off")
        self.db.execute(f"pragma application_id = {APPLICATION_ID}")
        for file in [*sorted(SQL.glob("[0-9]*.sql")), SQL / "views.sql"]:
            self.db.executescript(file.read_text(encoding="utf-8"))
        self.db.execute("begin")
        self.insert("owner", name="Ada Example", timezone="UTC")

    def close(self) -> None:
        self.db.execute("commit")
        self.db.close()

    def insert(self, table: str, **row: Any) -> int:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        return int(
            self.db.execute(f"insert into {table} ({names}) values ({marks})", tuple(row.values())).lastrowid or 0
        )

    def source(self, name: str, measure: str = "search", **row: Any) -> int:
        engine = name.partition("/")[0] if measure == "search" else ""
        row = {"engine": engine, "provider": engine, "query": "Ada Example" if engine else "", **row}
        subject = json.dumps({"subject": row.pop("subject", "")})
        row = {"kind": name.partition("/")[0], "locale": "", "device": "", "day_zone": "owner", **row}
        return self.insert("sources", name=name, measure=measure, settings=subject, added_at=instant(200), **row)

    def reading(self, source_id: int, ago: int = 0, outcome: str = "ok", reason: str = "", **row: Any) -> int:
        at = {
            "slot": instant(ago),
            "day": day(ago),
            "started_at": instant(ago),
            "finished_at": instant(ago, "06:30:02"),
        }
        rest = {"attempt": 1, "trigger": "schedule", "advice": "", "parser": 1, "depth": None, "note": ""}
        return self.insert("readings", source_id=source_id, outcome=outcome, reason=reason, **{**at, **rest, **row})

    def url(self, url: str, host: str = "", whose: str = "other") -> int:
        found = self.db.execute("select id from urls where url = ?", (url,)).fetchone()
        host = host or url.partition("//")[2].partition("/")[0]
        return found[0] if found else self.insert("urls", url=url, canonical=url, host=host, whose=whose)

    def page(self, source_id: int, ago: int, urls: Iterable[str], titles: dict[str, str] | None = None) -> int:
        """A reading of a results page with these organic results, in this order."""
        urls = list(urls)
        reading_id = self.reading(source_id, ago, depth=len(urls))
        for n, url in enumerate(urls, 1):
            title = (titles or {}).get(url, f"Title of {url}")
            found = self.db.execute("select id from texts where title = ?", (title,)).fetchone()
            text_id = found[0] if found else self.insert("texts", title=title, snippet="", shown_host="")
            self.insert(
                "results",
                reading_id=reading_id,
                block=n,
                sub_index=0,
                kind="organic",
                position=n,
                position_absolute=n,
                url_id=self.url(url),
                text_id=text_id,
                match_precision="exact",
            )
        self.insert("results_todo", reading_id=reading_id)
        return reading_id

    def label(self, host: str, whose: str = "mine") -> None:
        label_id = self.insert("labels", pattern=host, match="host", whose=whose, origin="command", added_at=instant(0))
        changed = "select json_group_array(json_array(id, whose, ?)) from urls where host = ? and whose <> ?"
        (pages,) = self.db.execute(changed, (whose, host, whose)).fetchone()
        self.db.execute("update urls set whose = ?, label_id = ? where host = ?", (whose, label_id, host))
        self.insert("whose_todo", changed=pages)

    def views(self, source_id: int, ago: int, paths: dict[str, int], came_from: dict[str, int], **row: Any) -> int:
        reading_id = self.reading(source_id, ago)
        row = {"complete": int(ago > 0), "reading_id": reading_id, "source_id": source_id, "day": day(ago), **row}
        for path, views in paths.items():
            self.db.execute("insert or ignore into paths (path) values (?)", (path,))
            path_id = self.db.execute("select id from paths where path = ?", (path,)).fetchone()[0]
            self.insert("page_views", path_id=path_id, views=views, rule="1", **row)
        self.insert("site_views", views=sum(paths.values()), visitors=None, feed_views=3, rule="1", **row)
        row.pop("complete")
        for referrer, views in came_from.items():
            medium = "search" if "search" in referrer else "other"
            self.insert("referrers", referrer=referrer, medium=medium, views=views, **row)
        return reading_id

    def count(self, source_id: int, profile: str, metric: str, value: int | None, ago: int = 0, **row: Any) -> int:
        reading_id = self.reading(source_id, ago, slot=f"{day(ago)}T06:{len(metric):02}:00Z", **row.pop("reading", {}))
        row = {"window": "now", "state": "read", "precision": "exact", "definition": "", **row}
        return self.insert(
            "counts",
            source_id=source_id,
            profile=profile,
            metric=metric,
            day=day(ago),
            value=value,
            reading_id=reading_id,
            **row,
        )


def results(mine_at: int | None, depth: int = 9) -> list[str]:
    """A results page with the owner's page at this place, an unwanted one at the eighth, strangers elsewhere."""
    urls = [f"https://site{n}.example/page" for n in range(1, depth + 1)]
    urls[2:3] = ["https://wiki.example/Ada_Example_(painter)"]
    urls[7:8] = ["https://people-finder.example/ada"]
    if mine_at:
        urls[mine_at - 1] = "https://ada.example/"
    return urls


def empty(path: Path) -> Path:
    """Just made: sources are configured, nothing has been read."""
    data = Data(path)
    data.source("duckduckgo/ada-example")
    data.source("brave/ada-example")
    data.db.execute("update sources set added_at = ?", (instant(0, "11:59:00"),))
    data.close()
    return path


def unlabelled(path: Path) -> Path:
    """The first readings are in; nobody has said which pages are the owner's."""
    data = Data(path)
    duck, brave = data.source("duckduckgo/ada-example", provider="bing"), data.source("brave/ada-example")
    data.page(duck, 0, [*results(2), "https://www.linkedin.com/in/ada-example"])
    data.page(brave, 0, results(1, 7))
    data.close()
    return path


def filled(path: Path, days: int = 90) -> Path:
    """A history of ranks, page views, profile numbers and contacts, with outages and one failing source."""
    data = Data(path)
    _searches(data, days)
    _page_views(data, days)
    _profiles(data, days)
    _exposure(data)
    for n, (kind, origin) in enumerate(
        [("inmail", "linkedin"), ("mail", "search"), ("call", "old resume"), ("mail", "search")]
    ):
        typed = data.source(f"typed{n}", "typed", kind="typed")
        reading = data.reading(typed, 7 * n, trigger="typed")
        data.insert("contacts", at=None, day=day(7 * n), kind=kind, origin=origin, source_id=typed, reading_id=reading)
    data.insert("events", day=day(40), title="A talk", reading_id=reading)
    data.insert("heartbeat", id=1, pid=1, started_at=instant(1), beat_at=instant(0, "11:59:30"))
    data.label("ada.example")
    data.label("people-finder.example", "unwanted")
    data.label("wiki.example", "namesake")
    data.close()
    return path


def _searches(data: Data, days: int) -> None:
    duck = data.source("duckduckgo/ada-example", provider="bing")
    brave, mojeek = data.source("brave/ada-example"), data.source("mojeek/ada-example")
    google, bing = data.source("google/ada-example"), data.source("bing/ada-example")
    gone = {"outcome": "failed", "reason": "timeout", "advice": "brave.example did not answer in time."}
    refused = {
        "outcome": "blocked",
        "reason": "captcha",
        "advice": "google.example asked for a captcha, which is not solved; it is left alone for a while.",
    }
    for ago in reversed(range(days)):
        data.page(duck, ago, results(1 if ago < 50 else 3, 10))
        data.page(bing, ago, results(None if ago < 12 else 7, 9))
        if ago in range(30, 36):
            data.reading(brave, ago, **gone)
        else:
            data.page(brave, ago, results(6 if ago < 20 else 7 if ago % 3 else 5, 10))
        if ago > 3:
            data.page(mojeek, ago, results(4, 10))
        else:
            data.reading(
                mojeek,
                ago,
                "changed",
                "layout_unknown",
                advice="mojeek.example answered with a page that is not understood; the page is kept.",
            )
        if ago < 25:
            data.reading(google, ago, **refused)


def _page_views(data: Data, days: int) -> None:
    log = data.source("access_log/blog", "page_views", subject="blog")
    for ago in reversed(range(days)):
        if ago in (60, 61, 62):
            continue
        weekend = 0.6 if date.fromisoformat(day(ago)).weekday() > 4 else 1
        busy = int((90 + (days - ago) + ago * 7 % 31) * weekend)
        data.views(
            log,
            ago,
            {"/": busy, "/notes/1": busy // 3, "/about": busy // 9, "/talks/engines-of-analysis-and-more": 4},
            {"search.example": busy // 4, "news.example": busy // 8, "chat.example": 2},
        )


def _profiles(data: Data, days: int) -> None:
    github = data.source("github/ada", "profile")
    for ago in (60, 30, 0):
        data.count(github, "github/ada", "followers", 120 - ago // 3, ago)
    data.count(github, "github/ada", "stars", 1043, 0, window="total")
    data.count(github, "github/ada", "sponsors", None, 0, state="hidden")
    typed = data.source("typed", "typed", kind="typed")
    hand = {"reading": {"trigger": "typed"}, "window": "90d"}
    data.count(typed, "linkedin", "profile_views", 88, 40, **hand)
    data.count(typed, "linkedin", "profile_views", 131, 9, **hand)


def _exposure(data: Data) -> None:
    source = data.source("exposure", "contacts", kind="exposure")
    phone = data.insert(
        "identifiers", source_id=source, kind="phone", key="0" * 32, masked="+61 … 56", added_at=instant(30)
    )
    page = data.url("https://people-finder.example/ada")
    data.insert("exposure_pages", source_id=source, url_id=page, allowed=0, unasked="")
    check = {"url_id": page, "identifier_id": phone, "verdict": "found", "reason": "", "place": "text"}
    data.insert("exposure_checks", reading_id=data.reading(source, 7), day=day(7), **check)


def hostile(path: Path) -> Path:
    """Titles, URLs, paths, referrers and names as an enemy would write them."""
    data = Data(path)
    duck = data.source("duckduckgo/ada-example", query=HOSTILE_TITLE)
    log = data.source("access_log/blog", "page_views", subject=HOSTILE_TITLE)
    data.page(
        duck,
        0,
        [HOSTILE_URL, "https://people-finder.example/ada", "https://x.example/$(touch pwned)"],
        {HOSTILE_URL: HOSTILE_TITLE, "https://people-finder.example/ada": HOSTILE_TITLE},
    )
    data.views(log, 1, {f"/{HOSTILE_TITLE}": 4}, {HOSTILE_TITLE: 3, HOSTILE_URL: 2})
    github = data.source("github/ada", "profile")
    data.count(github, HOSTILE_TITLE, HOSTILE_TITLE, 3)
    reading = data.reading(github, 1, "failed", "dns", advice=HOSTILE_TITLE)
    data.insert(
        "contacts", at=None, day=day(1), kind="mail", origin=HOSTILE_TITLE, source_id=github, reading_id=reading
    )
    data.db.execute("update owner set name = ?", (HOSTILE_TITLE,))
    data.close()
    return path
