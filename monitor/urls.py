"""Addresses: taken out of an engine's click wrapper, and brought to the one form in which they are compared.

Nothing here asks for an address or follows one: an engine's click link is a click. Nothing here raises, whatever the
text: what is no web address comes back as it stands.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import NamedTuple
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"https?://", re.I)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d+(?:[/?#]|$))", re.I)
_PARTS = re.compile(r"//(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?", re.S)
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]")
_NEVER_ASKED = ("linkedin.com", "lnkd.in")
_NEVER = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")  # blanks, controls, halves of a surrogate pair
# What is respelled in a path and in a query: escapes, and all that may not stand plain (RFC 3986, pchar and query).
_IN_PATH = re.compile(r"%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:@/-]")
_IN_QUERY = re.compile(r"%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$'()*,;:@/?&=+-]")

_TRACKING = frozenset({"gclid", "fbclid", "msclkid", "srsltid", "ref", "trk", "originalsubdomain"})
_CASELESS = frozenset({"github.com", "linkedin.com", "x.com"})
_ALIASES = {"twitter.com": "x.com"}
_LINKEDIN_COUNTRY = re.compile(r"[a-z]{2}\.linkedin\.com")
_MEDIUM_USER = re.compile(r"([a-z0-9_-]+)\.medium\.com")
_GOOGLE = re.compile(r"google\.(?:com|[a-z]{2}|com?\.[a-z]{2})")
_YAHOO = re.compile(r"/RU=([^/]*)")


class _Parts(NamedTuple):
    """A web address in pieces; the host is lower case, in punycode and as yet unfolded."""

    host: str
    port: str
    path: str
    query: str
    fragment: str


def unwrap(url: str) -> str:
    """The address behind an engine's click link; anything else comes back as it is.

    Knows DuckDuckGo (`/l/?uddg=`), Bing (`/ck/a?u=a1` and base64url), Yahoo (`/RU=`) and Google (`/url?q=`). An
    opaque one (Google's `/goto`, Baidu's `/link`) stays what it is.

    >>> unwrap("//duckduckgo.com/l/?uddg=https%3A%2F%2Fexample.org%2Fabout&rut=0")
    'https://example.org/about'
    """
    for _ in range(8):  # a wrapper in a wrapper is seen, a tower of them is a trap
        inner = _wrapped(url)
        if not inner:
            break
        url = inner
    return url


def canonical(url: str) -> str:
    """The form in which two addresses are compared; keep the address as shown beside it.

    Unwrapped; without scheme, user, default port, `www.`, `m.`, `mobile.`, `amp.`, tracking parameters and fragment
    (but `#!` stays); host in punycode; percent-escapes in one spelling; dot segments, `//`, `index.html`, a trailing
    slash and an `/amp` tail folded; parameters sorted. Path case is kept except where the host is known to ignore it
    (github.com, linkedin.com, x.com). LinkedIn's country hosts, twitter.com and `user.medium.com` are folded into
    linkedin.com, x.com and `medium.com/@user`. It is idempotent.

    >>> canonical("http://www.example.org:80/a/../About/?utm_source=x&b=2&a=1#top")
    'example.org/About?a=1&b=2'
    """
    for _ in range(32):
        folded = _folded(unwrap(url.strip()))
        if folded == url:
            break
        url = folded
    return url


def host(url: str) -> str:
    """The host: lower case, punycode, without `www.`; empty when there is none.

    >>> host("https://WWW.Bücher.example/x")
    'xn--bcher-kva.example'
    """
    parts = _split(url.strip())
    return _without(parts.host, "www.") if parts else ""


def is_never_asked(url: str) -> bool:
    """Whether this leads to LinkedIn, whose pages are never asked: its terms forbid it, and it can cost the account.

    >>> is_never_asked("https://de.LinkedIn.com./in/jane"), is_never_asked("https://linkedin.com.example.org/")
    (True, False)
    """
    of = host(url).rstrip(".")
    return any(of == never or of.endswith(f".{never}") for never in _NEVER_ASKED)


def is_link(url: str) -> bool:
    """Whether a page may show this as a link: http or https with a host, never `javascript:`, `data:` and friends."""
    return bool(_SCHEME.match(url)) and not _NEVER.search(url) and _split(url) is not None


def _split(url: str) -> _Parts | None:
    """The pieces of a web address with or without its scheme, None when it is none.

    A backslash counts as a slash, as in every browser (URL Standard, 4.4): otherwise an address could be counted as
    one host's and lead to another's.
    """
    text = url.replace("\\", "/")
    if scheme := _SCHEME.match(text):
        text = text[scheme.end() - 2 :]
    elif _OTHER_SCHEME.match(text):
        return None
    elif not text.startswith("//"):
        text = "//" + text
        if "@" in text.split("/", 3)[2]:
            return None  # a mail address
    found = _PARTS.match(text)
    if found is None:
        return None
    name, colon, port = found["authority"].rpartition("@")[2].rpartition(":")
    if not colon or "]" in port:
        name, port = name + colon + port, ""
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    asked = _punycode(unquote(name))
    if not _HOST.fullmatch(asked):
        return None
    port = str(int(port)) if port else ""
    return _Parts(asked, port, found["path"], found["query"] or "", found["fragment"] or "")


def _punycode(name: str) -> str:
    """A host in ASCII. By hand: Python's own idna codec follows IDNA 2003 and makes `straße` one with `strasse`."""
    name = unicodedata.normalize("NFKC", name.replace("\u3002", ".").replace("\uff61", ".")).lower().rstrip(".")
    try:
        return ".".join(
            part if part.isascii() else "xn--" + part.encode("punycode").decode("ascii") for part in name.split(".")
        )
    except UnicodeError:  # a lone surrogate
        return ""


def _without(name: str, *prefixes: str) -> str:
    """A host without the given first labels, as long as a dotted name is left: `m.de` is a site of its own."""
    while name.startswith(prefixes):
        rest = name.partition(".")[2]
        if "." not in rest:
            break
        name = rest
    return name


def _wrapped(url: str) -> str:
    """The address a click link carries, empty when it carries none."""
    parts = _split(url)
    if parts is None:
        return ""
    name = _without(parts.host, "www.")
    inner = ""
    if _under(name, "duckduckgo.com") and parts.path in ("/l/", "/l"):
        inner = _parameter(parts.query, "uddg")
    elif _under(name, "bing.com") and parts.path.startswith("/ck/a"):
        inner = _bing(_parameter(parts.query, "u"))
    elif _under(name, "search.yahoo.com") and (found := _YAHOO.search(parts.path)):
        inner = unquote(found[1])
    elif _GOOGLE.fullmatch(name) and parts.path == "/url":
        inner = _parameter(parts.query, "q") or _parameter(parts.query, "url")
    return inner if is_link(inner) else ""


def _under(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _parameter(query: str, name: str) -> str:
    """The first value of a parameter; a plus stays a plus, for an address holds no space."""
    for pair in query.split("&"):
        key, _, value = pair.partition("=")
        if key == name:
            return unquote(value)
    return ""


def _bing(value: str) -> str:
    """Bing's `u`: `a1`, then base64url without padding; other marks are unknown."""
    if not value.startswith("a1"):
        return ""
    try:
        return base64.urlsafe_b64decode(value[2:] + "=" * (-len(value[2:]) % 4)).decode("utf-8")
    except ValueError:
        return ""


def _folded(url: str) -> str:
    parts = _split(url)
    if parts is None:
        return url
    name = _without(parts.host, "www.", "m.", "mobile.", "amp.")
    if _LINKEDIN_COUNTRY.fullmatch(name):
        name = "linkedin.com"
    name = _ALIASES.get(name, name)
    path = _path(parts.path)
    if user := _MEDIUM_USER.fullmatch(name):
        name, path = "medium.com", f"/@{user[1]}{path}"
    if name in _CASELESS:
        path = path.lower()
    port = "" if parts.port in ("", "80", "443") else f":{parts.port}"
    query = _query(parts.query)
    bang = parts.fragment.partition(":~:")[0]
    fragment = f"#{_escaped(bang, _IN_QUERY, '&=+')}" if bang.startswith("!") and len(bang) > 1 else ""
    return f"{name}{port}{path}{'?' if query else ''}{query}{fragment}"


def _path(path: str) -> str:
    kept: list[str] = []
    for part in _escaped(path, _IN_PATH, "/").split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    while kept and (kept[-1].lower() == "index.html" or (kept[-1] == "amp" and len(kept) > 1)):
        kept.pop()
    return "".join(f"/{part}" for part in kept)


def _query(query: str) -> str:
    kept = []
    for pair in _escaped(query, _IN_QUERY, "&=+").split("&"):
        key = pair.partition("=")[0].lower()
        if pair and key not in _TRACKING and not key.startswith("utm_"):
            kept.append(pair)
    return "&".join(sorted(kept))


def _escaped(text: str, respelled: re.Pattern[str], meant: str) -> str:
    """One spelling of percent-escapes: what may stand plain is unescaped, all else is escaped in upper case.

    `meant` are the characters that say one thing plain and another escaped; they stay as they are.
    """

    def one(found: re.Match[str]) -> str:
        if not found[1]:
            return quote(found[0].encode("utf-8", "surrogatepass"), safe="")
        char = chr(int(found[1], 16))
        return found[0].upper() if char in meant or respelled.match(char) else char

    return respelled.sub(one, text)
