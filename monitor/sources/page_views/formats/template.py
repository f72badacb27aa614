"""Formats written as a template: a server's own `log_format` (nginx) or `LogFormat` (Apache), and well-known ones.

A template becomes one regular expression without nested choices, so that no line can make it slow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from monitor.sources.page_views.formats.line import Line, day_in, from_url

NGINX = MappingProxyType(
    {
        "remote_addr": "address",
        "time_local": "time",
        "time_iso8601": "time",
        "msec": "time",
        "request": "request",
        "request_method": "method",
        "request_uri": "uri",
        "uri": "uri",
        "args": "query",
        "query_string": "query",
        "status": "status",
        "http_referer": "referer",
        "http_user_agent": "agent",
        "host": "host",
        "http_host": "host",
        "server_name": "host",
        "sent_http_content_type": "media",
        "http_sec_purpose": "ahead",
        "http_purpose": "ahead",
        "http_x_moz": "ahead",
    }
)
_APACHE = MappingProxyType(
    {
        "h": "address",
        "a": "address",
        "t": "time",
        "r": "request",
        "m": "method",
        "U": "uri",
        "q": "query",
        "s": "status",
        "v": "host",
        "V": "host",
        "referer": "referer",
        "user-agent": "agent",
        "host": "host",
        "content-type": "media",
        "sec-purpose": "ahead",
        "purpose": "ahead",
        "x-moz": "ahead",
    }
)
_WORD = re.compile(r"\$\{(\w+)\}|\$(\w+)|%[!\d,]*[<>]?(?:\{([^}]*)\})?(\^t[io]|[A-Za-z])")
_QUOTED = r'([^"\\]*+(?:\\.[^"\\]*+)*+)'  # what nginx writes as \x22 and Apache as \" stays inside
_USERS = ("remote_user", "u")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled format: its name for people, the expression, and the field that each of its groups is."""

    name: str
    pattern: re.Pattern[bytes]
    fields: tuple[str, ...]

    def read(self, line: bytes) -> Line | None:
        """The line's fields; None for a line in another format or without a day."""
        fits = self.pattern.match(line)
        if not fits:
            return None
        got: dict[str, bytes] = {}
        for name, value in zip(self.fields, fits.groups(), strict=True):
            got[name] = got.get(name) or (b"" if value == b"-" and name not in ("agent", "referer") else value)
        day = day_in(got["time"].decode("latin-1"))
        if day is None or not (got["status"].isdigit() or not got["status"]):
            return None
        request = got.get("request")
        if request is None:
            query = got.get("query", b"").removeprefix(b"?")
            target = got["uri"] + (b"?" + query if query and b"?" not in got["uri"] else b"")
            request = got.get("method", b"GET") + b" " + target
        return from_url(
            Line(
                day,
                request,
                got["status"],
                got.get("referer", b""),
                got["agent"],
                got.get("address", b""),
                got.get("host", b""),
                got.get("media", b""),
                b"prefetch" in got.get("ahead", b"").lower(),
            )
        )


@lru_cache(maxsize=64)
def compiled(text: str, name: str = "format") -> Template:
    """A template from the text of a `log_format` or a `LogFormat`.

    Raises ValueError, with a sentence for the owner, where it lacks the time, the request, the status or the agent.
    """
    text = text.strip().replace('\\"', '"')
    parts = list(_parts(text))
    fields = [field for _, _, field in parts if field]
    missing = [word for word in ("time", "status", "agent") if word not in fields]
    if "request" not in fields and "uri" not in fields:
        missing.append("request")
    if missing:
        raise ValueError(f"format names no {' and no '.join(missing)}; a page view needs them")
    return Template(name, re.compile(_expression(parts).encode(), re.DOTALL), tuple(fields))


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    """The template's literal texts and words, in order: (literal, word, field or none)."""
    end = 0
    for found in _WORD.finditer(text):
        if found.start() > end:
            yield text[end : found.start()].replace("%%", "%"), "", ""
        end = found.end()
        nginx = found[1] or found[2]
        if nginx:
            yield "", nginx, NGINX.get(nginx, "")
            continue
        word, letter = found[3], found[4]
        if letter == "t" and not word:
            yield "[", "", ""
            yield "", "t", "time"
            yield "]", "", ""
        elif letter == "t":
            yield "", letter, "time" if re.match(r"%Y-%m-%d|%F|\[?%d/%b/%Y:%T|sec\Z|msec\Z|usec\Z", word or "") else ""
        elif word is not None and letter in "io":
            yield "", word.lower(), _APACHE.get(word.lower(), "")
        else:
            yield "", letter, _APACHE.get(letter, "")
    if text[end:]:
        yield text[end:], "", ""


def _expression(parts: list[tuple[str, str, str]]) -> str:
    """The regular expression of a template; what follows its end in a line may be anything."""
    out = [r"\0*+"]
    for n, (literal, word, field) in enumerate(parts):
        if literal:
            out.append(re.escape(literal))
            continue
        before, after = (parts[n - 1][0] if n else ""), (parts[n + 1][0] if n + 1 < len(parts) else "")
        value = _value(word, field, before, after, parts[n + 1] if n + 1 < len(parts) else None)
        out.append(value if field else value.replace("(", "(?:", 1))
    return "".join(out)


def _value(word: str, field: str, before: str, after: str, following: tuple[str, str, str] | None) -> str:
    """The expression of one word, between the literal texts before and after it. Raises ValueError where none is."""
    if before.endswith('"') and after.startswith('"'):
        return _QUOTED
    if following and not after:
        if field in ("uri", "host") and following[2] in ("query", "uri"):  # %U%q, $host$request_uri
            return r"([^? \t]*+)" if field == "uri" else r"([^/ \t]*+)"
        raise ValueError(f"format puts nothing between {word} and {following[1]}, so they cannot be told apart")
    stop = after[:1] or " "
    special = ""
    if field == "agent" and not following:
        special = r"([^\r\n]*+)"
    elif word in _USERS and after.startswith(" ["):
        special = r"([^\[]{0,512})"  # a user name may hold blanks
    elif field == "address" and stop == ":":
        special = r"([^ ]{0,128})"  # an IPv6 address before its port
    elif field == "request":
        special = r"([A-Z]+ [^ ]*+(?: HTTP/[\d.]+)?)"
    blanks = r" \t" if stop == ":" else ""
    return special or rf"([^{blanks}{re.escape(stop)}]*+)"


_COMBINED = '[$time_local] "$request" $status $bytes "$http_referer" "$http_user_agent"'
_KNOWN = MappingProxyType(
    {
        "combined": f"$remote_addr $ident $remote_user {_COMBINED}",
        "vhost_combined": f"$host $remote_addr $ident $remote_user {_COMBINED}",
        "S3": "$owner $host [$time_local] $remote_addr $requester $id $operation $key "
        '"$request" $status $error $bytes $size $took $turn "$http_referer" "$http_user_agent"',
        "ALB": "$type $time_iso8601 $balancer $remote_addr:$port $target $took $took $took $status $answered $in $out "
        '"$request" "$http_user_agent"',
        "ELB": "$time_iso8601 $balancer $remote_addr:$port $target $took $took $took $status $answered $in $out "
        '"$request" "$http_user_agent"',
    }
)
_SHAPE = MappingProxyType(  # what tells one well-known format from another before its fields are looked at
    {
        "combined": re.compile(rb"\0*+[!-~]++ [^ .:\[]++ "),
        "vhost_combined": re.compile(rb"\0*+[!-~]++ [0-9A-Za-z-]*+[.:][!-~]*+ [^ \[]++ "),
        "S3": re.compile(rb"[0-9a-f]{32,} "),
        "ALB": re.compile(rb"(?:https?|h2|wss?|grpcs?) \d{4}-"),
        "ELB": re.compile(rb"\d{4}-\d\d-\d\dT"),
    }
)


def well_known(line: bytes) -> Iterator[Template]:
    """The well-known formats that a line has the shape of."""
    for name, shape in _SHAPE.items():
        if shape.match(line):
            yield compiled(_KNOWN[name], name)
