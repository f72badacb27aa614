"""A bearer token of Google's for a service account's or an OAuth token's JSON file (google-auth signs).

Google's documentation, "Using OAuth 2.0 for Server to Server Applications": a JWT signed with the account's key is
changed at its token address for a bearer token that lives one hour.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from monitor.model import Exchange, Http, NotAsked

SCOPE = "https://www.googleapis.com/auth/webmasters.readonly"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
WANTED = "a Google key file: the JSON of a service account, or an OAuth token file with a refresh_token"


def bearer(text: str, ask: Callable[[Http], Exchange], now: int) -> str:
    """The access token for the text of a key file; `now` is in seconds since 1970.

    Raises NotAsked("key_missing") when the file is none of Google's or Google does not accept it. Neither the key nor
    the token ever stands in an error.
    """
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    if not isinstance(info, dict):
        raise NotAsked("key_missing", WANTED)
    exchange = ask(Http(str(info.get("token_uri") or TOKEN_URL), form=_form(info, now)))
    try:
        token = json.loads(exchange.capture.body)["access_token"] if exchange.capture else None
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str) or not token:
        raise NotAsked("key_missing", f"a Google key that is accepted (status {exchange.status})")
    return token


def _form(info: Mapping[str, Any], now: int) -> tuple[tuple[str, str], ...]:
    if info.get("type") == "service_account":
        return ("grant_type", _JWT), ("assertion", _signed(info, now))
    wanted = ("client_id", "client_secret", "refresh_token")
    if not all(isinstance(info.get(name), str) for name in wanted):
        raise NotAsked("key_missing", WANTED)
    return ("grant_type", "refresh_token"), *((name, info[name]) for name in wanted)


def _signed(info: Mapping[str, Any], now: int) -> str:
    try:
        from google.auth import crypt, jwt
    except ImportError:
        raise NotAsked("key_missing", "google-auth, which signs: pip install 'presence-monitor[google]'") from None
    claims = {
        "iss": info.get("client_email"),
        "scope": SCOPE,
        "aud": info.get("token_uri") or TOKEN_URL,
        "iat": now,
        "exp": now + 3600,
    }
    try:
        signer = crypt.RSASigner.from_service_account_info(dict(info))  # type: ignore[no-untyped-call]
    except (ValueError, KeyError):
        raise NotAsked("key_missing", WANTED) from None
    return str(jwt.encode(signer, claims).decode())  # type: ignore[no-untyped-call]
