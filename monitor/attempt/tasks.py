"""What the store knows that an attempt needs: cursors, days covered, keys, and what is the owner's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from monitor.collect import Enough, Task
from monitor.config import Configured
from monitor.labels import whose
from monitor.model import Measure, Result
from monitor.store import contacts, local_key, logs, numbers, sources, state, visitors
from monitor.store.connection import Store


def task_of(store: Store, configured: Configured, source_id: int, task: Task) -> Task:
    """The task with all that its source may know. Raises StoreError, also where the local key is lost."""
    source = configured.source
    task = replace(task, enough=_enough(store, configured, source_id, task.day), zone=configured.zone)
    if source.measure is Measure.CONTACTS:
        return replace(
            task,
            mail_cursors=contacts.cursors(store, source_id),
            hashed=local_key.hasher(store),
            corrections=contacts.corrections(store),
            own_mail=lambda message_key: contacts.is_own(store, message_key),
        )
    if source.history:
        task = replace(task, cursors=logs.cursors(store, source_id))
    if source.measure is Measure.PAGE_VIEWS:
        task = replace(task, covered=numbers.covered(store, source_id))
    if source.history and not source.keep:
        task = replace(task, visitor_key=visitors.keys(store, source_id))
    return task


def _enough(store: Store, configured: Configured, source_id: int, day: date) -> Enough:
    """Whether what was seen will do: page 2 is for when nothing of the owner's is on page 1, and not daily."""
    last = state.last_further(store, source_id)
    if configured.control or (last and day - last < configured.further):
        return lambda records: True
    mine = [label for label in sources.all_labels(store.db) if label.whose == "mine"]
    return lambda records: any(isinstance(r, Result) and r.url and whose(r.url, mine) for r in records)
