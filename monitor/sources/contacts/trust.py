"""Whether a mail is whom it says it is from, by the word of the owner's own mail provider.

Only the topmost Authentication-Results header counts, and only where it is the provider's (its authserv-id): a sender
can write the others. Facts: RFC 8601; LinkedIn signs its mails as linkedin.com and its X-LinkedIn-* headers with them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from monitor.sources.contacts.message import Letter

LINKEDIN = frozenset({"linkedin.com", "e.linkedin.com"})
Trust = Literal["verified", "unverified", "untrusted"]

_PROVIDERS = {"gmail.com": "google.com", "googlemail.com": "google.com", "fastmail.com": "messagingengine.com"} | {
    "mail.me.com": "icloud.com",
    "mail.yahoo.com": "yahoo.com",
}  # a provider's host to the domain its authserv-id is of, where the two differ
_LOOKS_LIKE = str.maketrans(dict.fromkeys("i1|!ıіӏ", "l") | {"е": "e", "к": "k", "ԁ": "d", "п": "n", "0": "o"})
_REASON = re.compile(r"\([^()]*\)")
_PAIR = re.compile(r"([\w.-]+)\s*=\s*([^\s;]+)")


def domain_of_host(host: str) -> str:
    """The domain that the authserv-id of a mail host's provider is of; empty where none can be told.

    >>> domain_of_host("imap.example.org"), domain_of_host("imap.gmail.com"), domain_of_host("127.0.0.1")
    ('example.org', 'google.com', '')
    """
    labels = host.casefold().strip(".").split(".")
    if len(labels) < 2 or labels[-1].isdigit() or ":" in host:
        return ""
    whole = len(labels) == 2 or (len(labels) == 3 and len(labels[-1]) == 2 and len(labels[-2]) <= 3)  # example.co.uk
    domain = ".".join(labels if whole else labels[1:])
    return _PROVIDERS.get(domain, domain)


def of_linkedin(letter: Letter, authserv: str, host: str) -> Trust | None:
    """How far a mail that is, or claims to be, LinkedIn's is to be believed; None for a mail that claims nothing."""
    if letter.domain not in LINKEDIN:
        return "untrusted" if claims_linkedin(letter) else None
    results = _results(letter, authserv, host)
    if results is None:
        return "unverified"
    if any(result == "pass" and domain in LINKEDIN for _, result, domain in results):
        return "verified"
    refused = any(result in ("fail", "none") or (result == "pass" and domain) for _, result, domain in results)
    return "untrusted" if refused else "unverified"


def of_other(letter: Letter, authserv: str, host: str) -> Literal["verified", "unverified"]:
    """Whether the provider vouches for the domain of any other sender."""
    for _, result, domain in _results(letter, authserv, host) or ():
        if result == "pass" and domain and f".{letter.domain}".endswith(f".{domain}"):
            return "verified"
    return "unverified"


def claims_linkedin(letter: Letter) -> bool:
    """Whether a mail calls itself LinkedIn's: by name, by headers, or by a domain that looks like it."""
    if any(name.startswith("x-linkedin-") for name in letter.headers):
        return True
    address = _readable(letter.domain) if letter.address else letter.first("from")
    return _looks_alike(letter.name) or _looks_alike(address)


def _looks_alike(text: str) -> bool:
    plain = unicodedata.normalize("NFKD", text.casefold())
    skeleton = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LOOKS_LIKE)
    return "llnkedln" in re.sub(r"[\s._-]", "", skeleton)


def _readable(domain: str) -> str:
    """A domain with its punycode labels decoded, where that can be done."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _results(letter: Letter, authserv: str, host: str) -> list[tuple[str, str, str]] | None:
    """The provider's results as (method, result, domain) for dkim and dmarc; None where it says none."""
    head, *stated = _REASON.sub(" ", letter.first("authentication-results")).split(";")
    server = (head.split() or [""])[0].casefold()
    if not stated or not _is_own(server, authserv, host):
        return None
    found = []
    for statement in stated:
        pairs = [(key.casefold(), value.casefold().strip("\"'")) for key, value in _PAIR.findall(statement)]
        if pairs and pairs[0][0] in ("dkim", "dmarc"):
            method, result = pairs[0]
            said = dict(reversed(pairs[1:]))
            wanted = ("header.from",) if method == "dmarc" else ("header.d", "header.i")
            domain = next((said[key].rpartition("@")[2] for key in wanted if key in said), "")
            found.append((method, result, domain))
    return found


def _is_own(server: str, authserv: str, host: str) -> bool:
    if authserv:
        return server == authserv.casefold()
    domain = domain_of_host(host)
    return bool(domain) and f".{server}".endswith(f".{domain}")
