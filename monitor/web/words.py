"""Pure: how dates, ages, numbers, engines and outcomes are said on a page, and which stored URLs may become links."""

from __future__ import annotations

import shlex
from datetime import date, datetime
from types import MappingProxyType

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

NAMES = MappingProxyType(
    {
        "bing": "Bing",
        "brave": "Brave",
        "duckduckgo": "DuckDuckGo",
        "ecosia": "Ecosia",
        "github": "GitHub",
        "google": "Google",
        "imap": "mailbox",
        "kagi": "Kagi",
        "linkedin": "LinkedIn",
        "mojeek": "Mojeek",
        "qwant": "Qwant",
        "searxng": "SearXNG",
        "serpapi": "SerpApi",
        "stackexchange": "Stack Exchange",
        "stackoverflow": "Stack Overflow",
        "startpage": "Startpage",
        "yahoo": "Yahoo",
        "yandex": "Yandex",
        "youtube": "YouTube",
    }
)


def name(word: str) -> str:
    """An engine, provider or site the way it writes itself.

    >>> name("duckduckgo"), name("some_engine")
    ('DuckDuckGo', 'Some engine')
    """
    return NAMES.get(word.casefold(), word.replace("_", " ")[:1].upper() + word.replace("_", " ")[1:])


def on(day: date, today: date) -> str:
    """A day in words: "22 Nov", with its year when that is not today's."""
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if day.year != today.year else "")


def long_day(day: date) -> str:
    """A day with its weekday: "Sun 22 Nov 2026"."""
    return f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year}"


def at(moment: datetime, now: datetime) -> str:
    """A moment in the zone of `now`: "06:31", "yesterday 06:31", or with its day: "22 Nov 06:31"."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    clock = f"{local:%H:%M}"
    if days in (0, 1, -1):
        return {0: "", 1: "yesterday ", -1: "tomorrow "}[days] + clock
    return f"{on(local.date(), now.date())} {clock}"


def age(days: int) -> str:
    """How old a number is, in words: "today", "yesterday", "3 days old"."""
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days old"


def since(day: date, today: date) -> str:
    """Since when, in the fewest words that are not mistaken: "today", "yesterday", "Tuesday", "22 Nov"."""
    days = (today - day).days
    return {0: "today", 1: "yesterday"}.get(days) or (WEEKDAYS[day.weekday()] if days < 7 else on(day, today))


def coming(moment: datetime, now: datetime) -> str:
    """A moment to come, in the zone of `now`: "today 18:00", "tomorrow 06:40", "Monday 06:40", "22 Nov 06:40"."""
    local = moment.astimezone(now.tzinfo)
    days = (local.date() - now.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days)
    return f"{day or (WEEKDAYS[local.weekday()] if days < 7 else on(local.date(), now.date()))} {local:%H:%M}"


def many(count: int, one: str, more: str = "") -> str:
    """A count with its noun: "1 page", "1,200 pages"."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def join(parts: list[str]) -> str:
    """A list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


def ended(outcome: str, reason: str) -> str:
    """An outcome and its reason in words: "blocked: captcha", "failed: server error"."""
    return f"{outcome}: {reason.replace('_', ' ')}" if reason else outcome


def label_command(of: str) -> str:
    """What to type so that a pattern counts as mine."""
    return f"monitor label {shlex.quote(of)} mine"
