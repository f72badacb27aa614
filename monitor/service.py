"""SHELL: what stands around the process: systemd's notify socket, and the ping by which others notice our silence."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from monitor.fetch.secrets import resolve
from monitor.model import Exchange, FetchFailed, Http, NotAsked, Secret


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells systemd how the service is doing, as sd_notify(3) describes; silent where nobody listens.

    `watchdog` is the number of seconds within which systemd wants to hear `WATCHDOG=1`, or None.
    """

    address: str = ""
    watchdog: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str], pid: int) -> Self:
        """What systemd said in the environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        span, meant = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "") or str(pid)
        wanted = span.isdecimal() and int(span) > 0 and meant == str(pid)
        return cls(environ.get("NOTIFY_SOCKET", ""), int(span) / 1e6 if wanted else None)

    def __call__(self, *lines: str) -> None:
        """Send a message. One that cannot be sent is lost: a missing listener is no reason to stop reading."""
        if not self.address:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(1)
            out.sendto("\n".join(lines).encode(), name)


class PingFailed(Exception):
    """The dead-man ping did not arrive: one plain sentence, without the address (which is a secret)."""


def ping(where: str | Secret, base: Path, fetch: Callable[[Http], Exchange]) -> None:
    """Ask the address of `[service] ping`; `base` is the config's folder. Raises PingFailed."""
    try:
        url = where if isinstance(where, str) else resolve(where, base, os.environ)
        status = fetch(Http(url)).status or 0
    except NotAsked as error:  # its detail names the key and never holds its value
        raise PingFailed(f"The ping was not sent: set {error.detail}, or take [service] ping away.") from None
    except FetchFailed as error:
        raise PingFailed(
            f"The ping did not arrive ({error.reason}): check [service] ping and this machine's network;"
            " readings go on."
        ) from None
    if status >= 400:
        raise PingFailed(f"The ping was refused ({status}): check the address in [service] ping; readings go on.")
