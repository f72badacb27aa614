"""`monitor worth` and `monitor correct`: what the profiles have brought, and the owner's word on who was a contact."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.plain import inert

if TYPE_CHECKING:
    from monitor.store.connection import Store
    from monitor.worth import Worth

VERDICTS = ("inmail", "request", "message", "mail", "call", "none", "forget")


@click.command()
@click.option("--months", type=click.IntRange(1, 240), default=6, show_default=True, help="How far to look back.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON, with the contacts behind each sentence.")
@click.pass_obj
def worth(config_path: Path, months: int, as_json: bool) -> None:
    """Say what your profiles have brought: who made contact, and by where they came from.

    \b
    Example: monitor worth --months 12
    """  # noqa: D301
    from zoneinfo import ZoneInfo

    from monitor import config
    from monitor.store.reader import opened
    from monitor.times import utc_now

    settings = config.read(config_path)
    today = utc_now().astimezone(ZoneInfo(settings.owner.timezone)).date()
    with opened(settings.database, "contact_weeks", frozenset({"read", "profile_appearances"})) as store:
        answer = answered(store, today, months)
        unsure = store.rows("select contact_id, day, sender_domain, reason from unsure_contacts order by day desc")
    if as_json:
        click.echo(json.dumps({**asdict(answer), "unsure": unsure}, indent=2, default=str, ensure_ascii=False))
        return
    click.echo(f"{answer.since} to {answer.until}")
    for one in answer.said:
        click.echo(f"  {inert(one.said)}")
    if unsure:
        click.echo(f"  {len(unsure)} more may be contacts and wait for your word, such as:")
        for row in unsure[:5]:
            click.echo(f"    {row['contact_id']}: {row['day']}, {inert(row['sender_domain'])} ({inert(row['reason'])})")
        click.echo(f"  Say so with: monitor correct {unsure[0]['contact_id']} mail, or none")


def answered(store: Any, today: date, months: int) -> Worth:
    """The answer for the months up to today, from a history's named views."""
    from monitor.worth import worth as answer

    since = today - timedelta(days=round(months * 30.4375))
    span = (since.isoformat(), today.isoformat())
    contacts = store.rows("select * from counted_contacts where day between ? and ? order by day, contact_id", span)
    monday = since - timedelta(days=since.weekday())
    weeks = store.rows("select * from contact_weeks where week between ? and ?", (monday.isoformat(), span[1]))
    profiles = store.rows("select distinct substr(profile, 1, instr(profile || '/', '/') - 1) as network from counts")
    return answer(contacts, weeks, [row["network"] for row in profiles], since, today)


@click.command()
@click.argument("contact", type=click.IntRange(min=1))
@click.argument("verdict", type=click.Choice(VERDICTS))
@click.option("--origin", help="Where it came from, where you know better: linkedin, old resume, referral ...")
@click.option("--only", is_flag=True, help="This contact alone, and not all of the same sender.")
@click.option("--domain", is_flag=True, help="All of the sender's domain.")
@click.pass_obj
def correct(config_path: Path, contact: int, verdict: str, origin: str | None, only: bool, domain: bool) -> None:
    """Say what a contact really was: its kind, or `none`. It is remembered for its sender; `forget` takes it back.

    CONTACT is the number that `monitor worth` and the table of contacts show.

    \b
    Example: monitor correct 12 none
             monitor correct 31 mail --origin referral --only
    """  # noqa: D301
    from monitor import config
    from monitor.store import contacts
    from monitor.store.connection import Store
    from monitor.times import utc_now

    if only and domain:
        raise click.UsageError("--only is one contact, --domain a whole domain: give one of the two")
    settings = config.read(config_path)
    with Store(settings.database) as store:
        about = _about(store, contact, only=only, domain=domain)
        said = "" if verdict == "forget" else verdict
        before = _counted(store)
        contacts.correct(store, about, said, origin, utc_now())
        after = _counted(store)
    done = {"forget": "as it was read again", "none": "no contact"}.get(verdict, verdict)
    click.echo(f"{_whom(about, contact)}: {done}. {after} contacts count now, {before} did before.")


def _counted(store: Store) -> int:
    return int(store.rows("select count(*) as n from counted_contacts")[0]["n"])


def _whom(about: str, contact: int) -> str:
    if about.startswith("contact:"):
        return f"Contact {contact}"
    return f"Everybody at {about[7:]}" if about.startswith("domain:") else f"The sender of contact {contact}"


def _about(store: Store, contact: int, *, only: bool, domain: bool) -> str:
    """What is remembered: one contact, its sender, or the sender's domain. Raises BadParameter."""
    found = store.rows("select sender_key, sender_domain from contacts where id = ?", (contact,))
    if not found:
        raise click.BadParameter(f"there is no contact {contact}: see the table contacts", param_hint="CONTACT")
    if domain:
        if not found[0]["sender_domain"]:
            raise click.BadParameter(f"contact {contact} has no domain: leave --domain out", param_hint="--domain")
        return f"domain:{found[0]['sender_domain']}"
    if only or not found[0]["sender_key"]:
        return f"contact:{contact}"
    return str(found[0]["sender_key"])
