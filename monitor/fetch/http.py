"""Asking one page over HTTP: within limits of time, size and address, and saying plainly why when it fails.

`requests` sends; what it leaves to the caller is done here. The adapter is used without `Session.send`, which reads the
whole body of a redirect into memory, unpacked, even with `allow_redirects=False` (requests 2.34, `resolve_redirects`),
and without proxies, netrc or cookies.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from monitor import __version__
from monitor.fetch.body import capped, unpacked
from monitor.fetch.google import bearer
from monitor.fetch.guard import Clock, Dialer, Resolver, Watchdog, plain_host, said, system_resolver
from monitor.fetch.hops import REDIRECTS, Hop, first_hop, next_hop, of_the_web, secrets_in, shown, without_user
from monitor.fetch.secrets import Redactor, resolve
from monitor.fetch.wire import Adapter
from monitor.model import Capture, Exchange, FetchFailed, Http, Secret

USER_AGENT = f"presence-monitor/{__version__} (+personal online presence monitor; one request a day)"
_KEPT_HEADERS = frozenset(  # and x-ratelimit-*
    ["content-type", "date", "retry-after", "etag", "last-modified", "content-language", "link", "server"]
)
_KEPT_HEADERS |= {"cf-mitigated", "x-yandex-captcha", "x-amzn-waf-action"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_HEADER = 4096
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s\"';,]+)", re.IGNORECASE)
_CHUNK = 16_384
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    urllib3.exceptions.LocationValueError,
    http.client.InvalidURL,
)
_NO_TLS = frozenset(["WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"])
_SEEN_AS_TIMEOUT = frozenset({"connection", "truncated", "bad_encoding", "tls"})


@dataclass
class _Trail:
    """How far a fetch has come: the part of an exchange that is known when it fails."""

    url: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def at(self, url: str) -> None:
        self.url, self.status, self.headers = url, None, {}


@dataclass(frozen=True)
class HttpFetcher:
    """Asks one page, following redirects; any HTTP status is an answer, and nothing is tried twice.

    Times are seconds, sizes bytes. `base` is the config's folder, for secrets in files. The host that a request names
    is the owner's choice and may be private, as may those of `allowed_private`; a redirect to any other private
    address is refused. `ca_file` holds authorities that are trusted beside the usual ones. The logger `urllib3` is
    kept at ERROR or above, because its lines hold whole URLs with the keys in them, even its warnings.
    """

    base: Path
    environ: Mapping[str, str] = field(repr=False)
    user_agent: str = USER_AGENT
    allowed_private: frozenset[str] = frozenset()
    deadline: float = 30.0
    connect: float = 5.0
    read: float = 10.0
    max_bytes: int = 5_000_000
    max_unpacked: int = 5_000_000
    max_redirects: int = 5
    ca_file: Path | None = None
    clock: Clock = time.monotonic
    wall: Clock = time.time
    resolver: Resolver = system_resolver

    def __post_init__(self) -> None:
        logger = logging.getLogger("urllib3")
        logger.setLevel(max(logger.level, logging.ERROR))

    def __call__(self, request: Http, n: int = 1) -> Exchange:
        """Ask, and return the answer with its capture.

        `Exchange.asked` and `Capture.asked` are the URL with its query; for a POST the form's fields follow as further
        fields of the query, or a JSON body behind it. Secrets are `***` there, in the final URL and in the headers
        kept. Raises `NotAsked` where a key is missing, before anything is sent, and `FetchFailed` with an exchange:
        dns, connection, timeout, tls, truncated, bad_encoding, too_large, redirect, forbidden_address, or bad_request
        for an address not of the web.
        """
        if not of_the_web(request.url):
            raise FetchFailed("bad_request", "no address of the web", Exchange(n, request.url, 0, url=request.url))
        values = {secret: self._value(secret) for secret in secrets_in(request)}
        redact = Redactor(part for secret, value in values.items() for part in (value, value[len(secret.prefix) :]))
        hop = first_hop(request, values, {"User-Agent": self.user_agent, "Accept": "*/*", "Connection": "close"})
        trail, started = _Trail(hop.url), self.clock()
        with Watchdog(self.deadline, self.clock) as watchdog:
            answer = self._follow(hop, trail, redact, watchdog, stranger=request.stranger)
        ms = round((self.clock() - started) * 1000)
        url, asked = redact(without_user(trail.url)), redact(shown(request))
        exchange = Exchange(n=n, asked=asked, ms=ms, status=trail.status, headers=trail.headers, url=url)
        if isinstance(answer, bytes):
            return replace(exchange, capture=_capture(redact.body(answer), exchange))
        # Raised from here and not where it arose, so that no traceback leads to a library's error with a key in it.
        raise FetchFailed(answer.reason, redact(answer.detail), exchange)

    def _value(self, secret: Secret) -> str:
        value = resolve(secret, self.base, self.environ)
        if secret.exchange == "google":
            return secret.prefix + bearer(value, self, int(self.wall()))
        return value

    def _follow(
        self, hop: Hop, trail: _Trail, redact: Redactor, watchdog: Watchdog, *, stranger: bool = False
    ) -> bytes | FetchFailed:
        """Go from hop to hop to the body of the last; a failure is returned, not raised."""
        private = self.allowed_private | (set() if stranger else {plain_host(urlsplit(hop.url).hostname or "")})
        seen: set[tuple[str, str]] = set()
        try:
            dialer = Dialer(watchdog, self.connect, private, self.resolver)
            while (hop.method, hop.url) not in seen and len(seen) <= self.max_redirects:
                seen.add((hop.method, hop.url))
                trail.at(hop.url)
                with closing(Adapter(dialer, self.ca_file)) as adapter, self._send(hop, adapter) as response:
                    trail.status, trail.headers = response.status_code, _kept(response, redact)
                    location = _location(response)
                    if not location:
                        return self._body(response, watchdog, redact)
                hop = next_hop(hop, response.status_code, location, redact)
            failure = FetchFailed("redirect", "in a circle" if (hop.method, hop.url) in seen else "too many in a row")
        except FetchFailed as error:
            failure = error
        except (requests.RequestException, HTTPError, http.client.HTTPException, OSError) as error:
            failure = classify(error, answered=trail.status is not None)
        if watchdog.expired and failure.reason in _SEEN_AS_TIMEOUT:
            return FetchFailed("timeout", f"over {self.deadline:g} s in all")
        if failure.reason == "bad_request" and len(seen) > 1:
            return FetchFailed("redirect", "to something that is no address of the web")
        return failure

    def _send(self, hop: Hop, adapter: HTTPAdapter) -> requests.Response:
        prepared = requests.Request(hop.method, hop.url, headers=dict(hop.headers), data=hop.body).prepare()
        prepared.headers["Accept-Encoding"] = "gzip, deflate"
        return adapter.send(prepared, stream=True, timeout=(self.connect, self.read), verify=True)

    def _body(self, response: requests.Response, watchdog: Watchdog, redact: Redactor) -> bytes:
        said_length = response.headers.get("Content-Length", "")
        if said_length.isdecimal() and len(said_length) < 20 and int(said_length) > self.max_bytes:
            raise FetchFailed("too_large", f"{said_length} bytes")
        wire = capped(_in_time(response.raw, watchdog), self.max_bytes)
        encoding = redact(response.headers.get("Content-Encoding", ""))  # whole: the error cuts it off
        return b"".join(capped(unpacked(wire, encoding), self.max_unpacked))


def classify(error: BaseException, *, answered: bool) -> FetchFailed:
    """The reason of a failure by the errors behind it, most telling first; `answered` says that headers had come.

    requests and urllib3 wrap errors several deep, and hide them in `args` and `reason`, so all of them are looked at.
    The details are fixed words or the system's: a library's own text may hold a URL with a key.
    """
    chain = list(_behind(error))

    def first(*kinds: type[BaseException]) -> BaseException | None:
        return next((link for link in chain if isinstance(link, kinds)), None)

    if isinstance(ours := first(FetchFailed), FetchFailed):
        return ours
    if isinstance(tls := first(ssl.SSLError), ssl.SSLError):
        return _of_tls(tls, answered=answered)
    if first(TimeoutError, urllib3.exceptions.TimeoutError):
        return FetchFailed("timeout", "reading" if answered else "waiting for the answer")
    if answered:
        return FetchFailed("truncated", "the answer broke off")
    if unlike := _of_http(chain):
        return unlike
    system = (link for link in chain if isinstance(link, OSError) and not isinstance(link, requests.RequestException))
    cause = next(system, None)
    return FetchFailed("connection", said(cause) if cause else type(chain[-1]).__name__)


def _of_http(chain: list[BaseException]) -> FetchFailed | None:
    """What was wrong with the question or the answer as HTTP; None when it was neither.

    http.client's RemoteDisconnected is both no HTTP and a lost connection: it is the latter.
    """
    if any(isinstance(e, urllib3.exceptions.InvalidHeader) for e in chain):
        return FetchFailed("bad_answer")
    if any(isinstance(e, _NO_ADDRESS) for e in chain):
        return FetchFailed("bad_request", "no address of the web")
    unlike = [e for e in chain if isinstance(e, http.client.HTTPException) and not isinstance(e, OSError)]
    if any(isinstance(e, http.client.LineTooLong) or str(e).startswith("got more than") for e in unlike):
        return FetchFailed("too_large", "its headers")
    return FetchFailed("bad_answer") if unlike else None


def _of_tls(error: ssl.SSLError, *, answered: bool) -> FetchFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return FetchFailed("tls", error.verify_message)
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return FetchFailed("truncated" if answered else "connection", "closed by the host")
    if error.reason in _NO_TLS:
        return FetchFailed("tls", "it does not speak TLS")
    return FetchFailed("tls", (error.reason or "handshake failed").lower().replace("_", " "))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error and all those behind it, outermost first, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inner = (getattr(link, "reason", None), link.__cause__, link.__context__, *link.args)
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _in_time(raw: urllib3.BaseHTTPResponse, watchdog: Watchdog) -> Iterator[bytes]:
    """The bytes as they stand on the wire. The end of data is believed only if it was not the watchdog's doing."""
    for chunk in raw.stream(_CHUNK, decode_content=False):
        if watchdog.expired:
            break
        yield chunk
    if watchdog.expired:
        raise FetchFailed("truncated", "the deadline passed")


def _location(response: requests.Response) -> str:
    """Where a redirect leads; empty where the answer is none."""
    location = _clean(response.headers.get("Location", "")) if response.status_code in REDIRECTS else ""
    try:
        return location.encode("latin-1").decode()  # servers send UTF-8, http.client reads it as Latin-1
    except UnicodeError:
        return location


def _clean(value: str) -> str:
    """A header's value without control characters, which RFC 9110 5.5 has replaced by spaces."""
    return _CONTROL.sub(" ", value).strip()


def _kept(response: requests.Response, redact: Redactor) -> dict[str, str]:
    named = ((_clean(name.lower()), _clean(value)) for name, value in response.headers.items())
    kept = {name: value for name, value in named if name in _KEPT_HEADERS or name.startswith("x-ratelimit-")}
    return {redact(name): redact(value)[:_LONGEST_HEADER] for name, value in kept.items()}


def _capture(body: bytes, exchange: Exchange) -> Capture:
    content_type = exchange.headers.get("content-type", "")
    charset = _CHARSET.search(content_type)
    return Capture(
        body=body,
        media_type=content_type.partition(";")[0].strip().lower(),
        charset=charset[1].lower() if charset else "",
        status=exchange.status or 0,
        asked=exchange.asked,
        url=exchange.url,
        headers=exchange.headers,
    )
