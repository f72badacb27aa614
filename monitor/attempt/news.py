"""Whether a tick of a source with history brought news: without any, no reading is written."""

from __future__ import annotations

from typing import Any

from monitor.config import Configured
from monitor.model import Measure, Outcome, Reading
from monitor.store import contacts, logs, state
from monitor.store.connection import Store

_FINE = frozenset({Outcome.OK, Outcome.EMPTY})


def unchanged(store: Store, configured: Configured, source_id: int, reading: Reading) -> bool:
    """Whether a reading says nothing new. A cursor that moved all the same is stored. Raises StoreError."""
    if not configured.source.history:
        return False
    if reading.batch is not None:
        if reading.batch.capture.body or reading.batch.gaps:
            return False
        logs.save_quietly(store, source_id, reading.batch, reading.finished_at)
        return True
    last = state.newest(store, source_id)
    if configured.source.measure is Measure.CONTACTS:
        return _no_mail_news(store, source_id, reading, last)
    return _same(reading, last)


def _no_mail_news(store: Store, source_id: int, reading: Reading, last: dict[str, Any] | None) -> bool:
    """Mails known already are no news, unless they come after trouble; nor is an account still left alone."""
    was = Outcome(last["outcome"]) if last else None
    if batch := reading.mail:
        told = batch.mails and was not in _FINE
        if told or (batch.skipped and not batch.mails) or contacts.news(store, reading.records):
            return False
        contacts.save_quietly(store, source_id, batch, reading.finished_at)
        return True
    if reading.outcome in _FINE:
        return was in _FINE
    if reading.reason in ("not_before", "breaker") and was is Outcome.BLOCKED:
        return True  # what it said when it refused stands
    return _same(reading, last)


def _same(reading: Reading, last: dict[str, Any] | None) -> bool:
    said = (str(reading.outcome), reading.reason, reading.advice, reading.day.isoformat())
    return last is not None and said == (last["outcome"], last["reason"], last["advice"], last["day"])
