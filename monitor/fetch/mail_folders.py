"""Which folders of a mailbox are read, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

_OUT = frozenset({"\\drafts", "\\junk", "\\trash"})
_NONE = frozenset({"\\noselect", "\\nonexistent"})
_OUT_NAMES = frozenset(
    [
        "drafts",
        "draft",
        "junk",
        "junk e-mail",
        "junk email",
        "spam",
        "bulk mail",
        "trash",
        "bin",
        "deleted",
        "deleted items",
        "deleted messages",
        "entwürfe",
        "papierkorb",
        "gelöschte elemente",
        "gelöschte objekte",
        "brouillons",
        "corbeille",
        "indésirables",
        "courrier indésirable",
        "éléments supprimés",
        "borradores",
        "papelera",
        "correo no deseado",
        "bozze",
        "cestino",
        "posta indesiderata",
        "rascunhos",
        "lixeira",
        "lixo",
    ]
)
_SENT_NAMES = frozenset(
    [
        "sent",
        "sent mail",
        "sent items",
        "sent messages",
        "gesendet",
        "gesendete elemente",
        "gesendete objekte",
        "envoyés",
        "messages envoyés",
        "éléments envoyés",
        "enviados",
        "elementos enviados",
        "posta inviata",
        "inviati",
    ]
)


class Folder(Protocol):
    """A folder as a server lists it: its name, what stands between the levels of names, and its flags."""

    name: str
    delim: str
    flags: tuple[str, ...]


def chosen(folders: Iterable[Folder], named: tuple[str, ...]) -> list[str]:
    """The folders to read, sent mail first and virtual ones last: the named, or all but drafts, junk and trash.

    Known by their special use (RFC 6154), else by the names that are common. A named one that is not listed is kept:
    a server need not list all that it opens.
    """
    if named:
        by_name = {one.name: one for one in folders}
        return sorted(named, key=lambda name: _rank(by_name[name]) if name in by_name else 1)
    listed = [one for one in folders if not _uses(one) & _NONE]
    out = {one.name: one.delim for one in listed if _is_out(one)}
    read = [
        one for one in listed if one.name not in out and not any(_within(one.name, name, out[name]) for name in out)
    ]
    return [one.name for one in sorted(read, key=lambda one: (_rank(one), one.name.upper() != "INBOX", one.name))]


def _is_out(folder: Folder) -> bool:
    return bool(_uses(folder) & _OUT) or (_last_name(folder) in _OUT_NAMES and not _uses(folder) & {"\\sent", "\\all"})


def _within(name: str, other: str, delim: str) -> bool:
    return bool(delim) and delim != "NIL" and name.startswith(other + delim)


def _rank(folder: Folder) -> int:
    uses = _uses(folder)
    if "\\sent" in uses or _last_name(folder) in _SENT_NAMES:
        return 0
    return 2 if uses & {"\\all", "\\flagged", "\\important"} else 1


def _uses(folder: Folder) -> set[str]:
    return {flag.lower() for flag in folder.flags}


def _last_name(folder: Folder) -> str:
    parts = folder.name.split(folder.delim) if folder.delim and folder.delim != "NIL" else [folder.name]
    return parts[-1].casefold()


def is_out_name(name: str) -> bool:
    """Whether a folder of this name holds drafts, junk or trash."""
    return name.casefold() in _OUT_NAMES


def is_sent_name(name: str) -> bool:
    """Whether a folder of this name holds the owner's own mails."""
    return name.casefold() in _SENT_NAMES
