"""What is sent at each hop: the first request from its description, and the next one from a redirect. Pure.

A redirect is followed as browsers do (Fetch standard, "HTTP-redirect fetch"): 301, 302 and 303 turn a POST into a GET,
307 and 308 repeat it. Secrets stay with the origin (scheme, host, port) that they were meant for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urldefrag, urljoin, urlsplit, urlunsplit

from monitor import urls
from monitor.fetch.secrets import HIDDEN, Redactor
from monitor.model import FetchFailed, Http, Pairs, Secret

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FORM = ("Content-Type", b"application/x-www-form-urlencoded")
_JSON = ("Content-Type", b"application/json")
_SHOWN_JSON = 500  # characters of a JSON body kept in the URL as asked
_PERSONAL = frozenset({"authorization", "cookie", "proxy-authorization"})


@dataclass(frozen=True)
class Hop:
    """One request as it goes out. `secret_names` are the headers, in lower case, that must not leave the origin."""

    method: str
    url: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None = None
    secret_names: frozenset[str] = frozenset()
    secret_body: bool = False


def secrets_in(request: Http) -> tuple[Secret, ...]:
    """The secrets that a request names."""
    pairs = (*request.params, *request.headers, *(request.form or ()))
    return tuple({value: None for _, value in pairs if isinstance(value, Secret)})


def first_hop(request: Http, values: Mapping[Secret, str], own: Mapping[str, str]) -> Hop:
    """The first hop; `own` are our headers, over which the request's go. All text is sent as UTF-8."""
    headers = {name.lower(): (name, value.encode()) for name, value in own.items()}
    for name, value in request.headers:
        headers[name.lower()] = (name, (values[value] if isinstance(value, Secret) else value).encode())
    body = None
    if request.form is not None:
        body = _encoded(request.form, values).encode()
        headers["content-type"] = _FORM
    elif request.json is not None:
        body = request.json.encode()
        headers["content-type"] = _JSON
    return Hop(
        method="GET" if body is None else "POST",
        url=_with_query(request.url, _encoded(request.params, values)),
        headers=tuple(headers.values()),
        body=body,
        secret_names=_PERSONAL | {name.lower() for name, value in request.headers if isinstance(value, Secret)},
        secret_body=any(isinstance(value, Secret) for _, value in request.form or ()),
    )


def shown(request: Http) -> str:
    """The URL as asked, for people: each secret as `***`, and the fields of a form after those of the query.

    A JSON body stands behind it, cut at 500 characters; the URL then has a path, so that its host can be read from it.

    >>> shown(Http("https://example.org/s?a=1", params=(("key", Secret(env="K")),), form=(("q", "Ada L"),)))
    'https://example.org/s?a=1&key=***&q=Ada+L'
    >>> shown(Http("https://example.org", json='{"q":"Ada L"}'))
    'https://example.org/ POST {"q":"Ada L"}'
    """
    query = "&".join(filter(None, (_encoded(request.params), _encoded(request.form or ()))))
    url = _with_query(without_user(request.url), query)
    if request.json is None:
        return url
    parts = urlsplit(url)
    return f"{urlunsplit(parts._replace(path=parts.path or '/'))} POST {request.json[:_SHOWN_JSON]}"


def without_user(url: str) -> str:
    """The URL without a user and password before the host."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{HIDDEN}@{host}")) if user and at else url


def of_the_web(url: str) -> bool:
    """Whether this is an address that can be asked over HTTP."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def next_hop(hop: Hop, status: int, location: str, redact: Redactor) -> Hop:
    """Where a redirect leads. Raises `FetchFailed("redirect")` where it must not be followed."""
    try:
        url = urldefrag(urljoin(hop.url, location)).url
    except ValueError:
        url = ""
    if not of_the_web(url):
        raise FetchFailed("redirect", "to something that is no address of the web")
    if urls.is_never_asked(url):
        raise FetchFailed("redirect", "to linkedin.com, which is never asked")
    moved = _origin(url) != _origin(hop.url)
    if status not in (307, 308) and hop.body is not None:
        kept = tuple(pair for pair in hop.headers if not pair[0].lower().startswith("content-"))
        hop = replace(hop, method="GET", body=None, headers=kept, secret_body=False)
    if moved:
        if redact.finds(location) or hop.secret_body:
            raise FetchFailed("redirect", "it would carry the key to another host")
        kept = tuple(pair for pair in hop.headers if pair[0].lower() not in hop.secret_names)
        if len(kept) != len(hop.headers) and hop.url.startswith("https:") and not url.startswith("https:"):
            raise FetchFailed("redirect", "it would carry the key unencrypted")
        hop = replace(hop, headers=kept)
    return replace(hop, url=url)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _encoded(pairs: Pairs, values: Mapping[Secret, str] | None = None) -> str:
    def text(value: str | Secret) -> str:
        if not isinstance(value, Secret):
            return quote_plus(value)
        return HIDDEN if values is None else quote_plus(values[value])

    return "&".join(f"{quote_plus(name)}={text(value)}" for name, value in pairs)


def _with_query(url: str, query: str) -> str:
    bare = urldefrag(url).url
    if not query:
        return bare
    return f"{bare}{'&' if '?' in bare else '?'}{query}"
