"""Pure: trouble is told when it begins and when it is over, not at every look and not once per source."""

from __future__ import annotations

from urllib.parse import urlsplit

from monitor.model import ExposureCheck, Outcome, Reading

UNREACHED = frozenset({"dns", "connection", "timeout"})
BACK = "The network is back."


class Standing:
    """What is wrong by where it shows, so that each text is told once while it stands."""

    def __init__(self) -> None:
        self._texts: dict[str, set[str]] = {}

    def begins(self, where: str, text: str) -> bool:
        """Note that something is wrong; whether the owner has not been told so yet."""
        new = not any(text in texts for texts in self._texts.values())
        self._texts.setdefault(where, set()).add(text)
        return new

    def over(self, where: str) -> bool:
        """Note that all is well here; whether it was not."""
        return bool(self._texts.pop(where, None))


class Network:
    """Whether all that is asked over the network fails together: then it is this machine's network, told once.

    Lines about sources that could not be reached are held back until `settled` says that no attempt is under way. A
    source that failed while others were reached has a trouble of its own: it says nothing about the network until it
    has been reached again.
    """

    def __init__(self) -> None:
        self.down = False
        self._held: list[str] = []
        self._failing: dict[str, str] = {}  # source -> host
        self._own: set[str] = set()
        self._reached = False

    def heard(self, name: str, reading: Reading, line: str) -> list[str]:
        """Take in a reading and the line that tells it; the lines to say now."""
        if reading.outcome is Outcome.FAILED and reading.reason in UNREACHED and reading.exchanges:
            self._failing[name] = urlsplit(reading.exchanges[-1].asked).netloc
            if not self.down:
                self._held.append(line)
            return []
        if not any(exchange.status for exchange in reading.exchanges):
            return [line]  # a file, or nothing was asked: no word about the network
        self._reached = True
        if not self.down:
            self._own |= set(self._failing)
        self._own.discard(name)
        self._failing.clear()
        back, self.down = [BACK] if self.down else [], False
        return [*back, *self._release(), line]

    def settled(self) -> list[str]:
        """No attempt is under way: the lines to say now."""
        if self._reached:
            self._own |= set(self._failing)
            self._failing.clear()
        self._reached = False
        hosts = {host for name, host in self._failing.items() if name not in self._own}
        if self.down or len(hosts) < 2:
            return self._release()
        self.down = True
        self._held.clear()
        return [
            f"No network: {', '.join(sorted(hosts))} could not be reached."
            " Check this machine's network; what is due is tried again."
        ]

    def _release(self) -> list[str]:
        lines, self._held = self._held, []
        return lines


def told(name: str, reading: Reading) -> str:
    """A reading in one line for the terminal."""
    match reading.outcome:
        case Outcome.OK if reading.depth is not None:
            return f"{name}: ok, {reading.depth} results seen"
        case Outcome.OK if any(isinstance(record, ExposureCheck) for record in reading.records):
            return f"{name}: {_looked(reading)}"
        case Outcome.OK:
            return f"{name}: ok, {len(reading.records)} numbers read"
        case Outcome.EMPTY:
            return f"{name}: empty, the source says that there is nothing"
    return f"{name}: {reading.outcome} ({reading.reason}). {reading.advice}"


def _looked(reading: Reading) -> str:
    """What became of the look at one page; its address is a stranger's text."""
    checks = [record for record in reading.records if isinstance(record, ExposureCheck)]
    page = "".join(c for c in checks[0].url if c.isprintable())
    found = sum(check.verdict == "found" for check in checks)
    unread = next((check.reason for check in checks if check.verdict == "could_not_read"), "")
    if checks[0].verdict == "page_gone":
        return f"no such page: {page} ({checks[0].reason})"
    if found:
        return f"found {found} of {len(checks)} on {page}"
    return f"could not read {page} ({unread})" if unread else f"nothing found on {page}"
