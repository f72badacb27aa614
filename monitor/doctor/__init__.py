"""Is all well? Looks at the config, the history, the machine and each source, and changes nothing.

`judge_machine` and `judge_sources` turn facts into findings and are pure; `history`, `machine` and `asking` gather.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitor.collect import Clock
from monitor.config import Configured, Settings
from monitor.doctor import judge_machine, judge_sources, machine
from monitor.doctor.asking import Trials
from monitor.doctor.finding import Finding, Level, fine, look, many
from monitor.doctor.history import History, captures_of, integrity, opened, schema, sizes
from monitor.doctor.judge_sources import Proof
from monitor.fetch.secrets import Redactor
from monitor.keeping import losing
from monitor.times import from_text, utc_now

__all__ = ["Finding", "Level", "examine"]


def examine(
    settings: Settings,
    chosen: Sequence[Configured],
    *,
    environ: Mapping[str, str],
    named: bool = False,
    offline: bool = False,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """Every finding, as it is made; no value of a secret is in any of them.

    `chosen` are the sources to try, `named` says that the owner named them. `offline` asks nothing of any host.
    """
    secrets = frozenset(machine.secrets_of(settings))
    redact = Redactor(machine.values_of(secrets, settings.base, environ))
    past = opened(settings.database)
    trials = Trials(settings, past, named, clock, sleep, environ)

    def findings() -> Iterator[Finding]:
        sources = many(len(settings.sources), "source")
        yield fine("config", f"{settings.path}, owner {settings.owner.name}, {sources}")
        yield from machine.versions()
        yield judge_machine.clock(clock(), past.newest())
        yield machine.zones(settings)
        yield from machine.room(settings.database)
        yield from machine.permissions(settings, secrets)
        yield from _of_history(past, trials, sleep)
        yield from _proofs(past, chosen, trials)
        if not offline:
            yield from trials.robots(chosen)
        for source in chosen:
            yield trials.source(source, offline=offline)
        yield from _losing(past, chosen, trials.clock())

    for found in findings():
        yield replace(found, what=redact(found.what), said=redact(found.said), step=redact(found.step))


def _of_history(past: History, trials: Trials, sleep: Callable[[float], None]) -> Iterator[Finding]:
    yield past.finding
    if past.readable:
        yield schema(past)
        yield from sizes(past.path)
        for file in (past.path, captures_of(past.path)):
            if file.exists():
                yield from integrity(file)
    if past.exists:
        yield from judge_machine.at_work(machine.at_work(past, trials.clock(), sleep), trials.clock())


def _proofs(past: History, chosen: Sequence[Configured], trials: Trials) -> Iterator[Finding]:
    """How fresh the proof of each kind's parser is."""
    sql = (
        "select r.parser, r.started_at from readings r join sources s on s.id = r.source_id"
        " where s.measure = ? and s.kind = ? and r.outcome = 'ok' order by r.started_at desc, r.id desc limit 1"
    )
    kinds = {(str(source.source.measure), source.source.kind): source for source in reversed(chosen)}
    for (measure, kind), source in sorted(kinds.items()) if past.readable else ():
        facts = Proof(kind, source.source.parser, source.name, source.source.keep, source.source.history)
        for parser, at in past.rows(sql, measure, kind):
            facts = replace(facts, parser=parser, at=from_text(at))
        yield judge_sources.proof(facts, source.schedule.period, trials.clock())


def _losing(past: History, chosen: Sequence[Configured], now: datetime) -> Iterator[Finding]:
    """What is about to be lost where a source's numbers by day are kept for some days only."""
    sql = (
        "select max(r.finished_at) from readings r join sources s on s.id = r.source_id and s.retired_at is null"
        " where s.name = ? and r.outcome in ('ok', 'empty') and r.\"trigger\" <> 'reread'"
        " and exists (select 1 from counts c where c.source_id = s.id and c.window = 'day')"
    )
    for source in chosen:
        for (at,) in past.rows(sql, source.name) if source.source.kept_days else ():
            said = losing(source.source.kept, source.source.kept_days, from_text(at), now) if at else ""
            if said:
                yield look(f"source {source.name}", said.rstrip("."), f"read it now: monitor check {source.name}")
