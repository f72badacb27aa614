"""One attempt put into practice: ask politely, store what came, and say so. Used by `run`, `check` and `reread`."""

from monitor.attempt.asking import (
    Fetcher,
    MailReader,
    Sleep,
    account_of,
    asked_back,
    fetcher_of,
    host_of,
    mail_reader_of,
)
from monitor.attempt.making import LEAST_FREE, MOST_SECONDS, TURN_SECONDS, Attempts, free_bytes
from monitor.attempt.progress import so_far

__all__ = [
    "LEAST_FREE", "MOST_SECONDS", "TURN_SECONDS", "Attempts", "Fetcher", "MailReader", "Sleep", "account_of",
    "asked_back", "fetcher_of", "free_bytes", "host_of", "mail_reader_of", "so_far",
]  # fmt: skip
