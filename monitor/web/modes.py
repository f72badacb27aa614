"""The two modes of serving a history: local, for whoever sits at this machine; and password, for its owner alone.

In password mode two things stand before every page, each enough by itself: a root `allow` block in the metadata, which
Datasette asks before it shows anything, and a gate before Datasette, which lets nobody in but by the login page. The
gate needs no list of pages: what a plugin adds without asking for permission is behind it too.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from datasette.utils import actor_matches_allow, await_me_maybe
from datasette.utils.asgi import Request

from monitor.web.safety import App, Receive, Scope, Send

USER = "owner"
ALLOW = {"id": USER}
LOGIN_PLUGIN = "datasette-auth-passwords"
OPEN = re.compile(r"/(favicon\.ico|-/(login|static/[A-Za-z0-9_./-]+|static-plugins/[A-Za-z0-9_./-]+))")
"""What is answered before anyone has signed in: the login page, and what it looks like. Nothing of the history."""
_HASH = re.compile(r"pbkdf2_sha256\$[0-9]{1,9}\$[^$\s]+\$[A-Za-z0-9+/]{43}=")
_SECRET_BYTES = 32

Mode = Literal["local", "password"]


class NotReady(Exception):
    """The pages cannot be served as config.toml says; the sentence names the key and the way out."""

    exit_code = 78


def require(mode: Mode, password_hash: str) -> None:
    """Check that password mode has all it needs. Raises NotReady."""
    if mode != "password":
        return
    if find_spec(LOGIN_PLUGIN.replace("-", "_")) is None:
        raise NotReady(
            '[web] mode = "password" needs a package that is not installed: pip install "presence-monitor[password]"'
        )
    if not _HASH.fullmatch(password_hash):
        raise NotReady(
            "[web] password does not name a password's hash: put there what `datasette hash-password` prints, which"
            " begins with pbkdf2_sha256$; in a shell between single quotes."
        )


def metadata(password_hash: str | Mapping[str, str]) -> dict[str, Any]:
    """What password mode adds to the metadata: who may see, who may write SQL, and who that is."""
    login = {f"{USER}_password_hash": password_hash}
    return {"allow": ALLOW, "allow_sql": ALLOW, "plugins": {LOGIN_PLUGIN: login}}


def kept_secret(database: Path) -> str:
    """The key that signs cookies, kept beside the history so that a restart signs nobody out; made at the first start.

    Raises NotReady when others can read it, OSError when it can be neither read nor made.
    """
    path = database.with_name(f"{database.stem}.secret")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return _made_secret(path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077:
            raise NotReady(f"{path} signs who is let in, and others can read it: chmod 600 it, or remove it.")
        text = os.read(handle, 4096).decode("ascii", "replace").strip()
    finally:
        os.close(handle)
    if not re.fullmatch(rf"[0-9a-f]{{{2 * _SECRET_BYTES},}}", text):
        raise NotReady(f"{path} is not what Monitor made: remove it; everyone signs in once more then.")
    return text


def _made_secret(path: Path) -> str:
    text = secrets.token_hex(_SECRET_BYTES)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    new.replace(path)
    return text


def gate(app: App, datasette: Any) -> App:
    """The app behind the login page: without the owner's cookie (or Basic authorization) nothing else is answered."""
    base = str(datasette.urls.path("/"))

    async def gated(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] == "http":
            if _is_open(scope, base) or actor_matches_allow(await _actor(datasette, scope, receive), ALLOW):
                await app(scope, receive, send)
            else:
                await _turn_away(scope, send, str(datasette.urls.path("/-/login")))

    return gated


def _is_open(scope: Scope, base: str) -> bool:
    """Whether a path needs no sign-in, both as it was sent (which Datasette goes by) and as it reads decoded."""
    raw = scope.get("raw_path") or scope["path"].encode()
    said = (scope["path"], raw.decode("latin-1").partition("?")[0])
    return all(".." not in path and OPEN.fullmatch("/" + path.removeprefix(base)) for path in said)


async def _actor(datasette: Any, scope: Scope, receive: Receive) -> Any:
    """Who is asking, by the same hook that Datasette asks afterwards; None for anyone unknown."""
    from datasette.plugins import pm  # at its import Datasette looks for hooks in us, who would not be whole yet

    try:
        for said in pm.hook.actor_from_request(datasette=datasette, request=Request(scope, receive)):
            actor = await await_me_maybe(said)
            if actor:
                return actor
    except (ValueError, IndexError):  # an authorization that is no Base64, or no text
        return None
    return None


async def _turn_away(scope: Scope, send: Send, login: str) -> None:
    """A browser is sent to the login page, anything else is refused."""
    accepts = b" ".join(value for key, value in scope["headers"] if key.lower() == b"accept")
    if scope["method"] in ("GET", "HEAD") and (b"text/html" in accepts):
        await _say(send, 302, b"", (b"location", login.encode()))
    else:
        body = f"Sign in first: {login}\n".encode()
        await _say(send, 403, body, (b"content-length", str(len(body)).encode()))


async def _say(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": status, "headers": [kind, *headers]})
    await send({"type": "http.response.body", "body": body})


def may_label(config: Mapping[str, Any], actor: Any) -> bool:
    """Whether this reader may say whose pages are: anyone on a local page, the owner on one behind a password.

    Never where Monitor did not start the pages itself: plain `datasette presence.db` only reads.
    """
    mode = config.get("mode")
    return mode == "local" or (mode == "password" and bool(actor_matches_allow(actor, ALLOW)))


__all__ = ["ALLOW", "USER", "Mode", "NotReady", "gate", "kept_secret", "may_label", "metadata", "require"]
