"""Google's token dance, over real HTTP with a key made here; nothing secret in what is said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from monitor.fetch.google import bearer
from monitor.fetch.http import HttpFetcher
from monitor.model import Exchange, Http, NotAsked
from tests.conftest import part
from tests.replay import Answer, Replay

google_jwt = pytest.importorskip("google.auth.jwt", reason="google-auth is not installed: pip install google-auth")


@pytest.fixture(scope="module")
def key() -> str:
    openssl = part("openssl", "openssl")
    command = [openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def fetch(request: Http) -> Exchange:
    return HttpFetcher(base=Path(), environ={})(request)


def account(url: str, key: str) -> str:
    info = {"type": "service_account", "client_email": "me@example.org", "private_key": key, "token_uri": url}
    return json.dumps({**info, "private_key_id": "1", "client_id": "2"})


def test_a_service_account_signs_for_a_token(key: str) -> None:
    with Replay({"/token": Answer.json({"access_token": "t0ken", "expires_in": 3599})}) as server:
        assert bearer(account(f"{server.url}/token", key), fetch, 1_800_000_000) == "t0ken"
        form = server.requests[0].form
    claims = google_jwt.decode(form["assertion"], verify=False)
    assert (claims["iss"], claims["exp"] - claims["iat"]) == ("me@example.org", 3600)
    assert claims["scope"].endswith("webmasters.readonly")


def test_a_refresh_token_is_changed_for_a_token() -> None:
    with Replay({"/token": Answer.json({"access_token": "t0ken"})}) as server:
        info = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "token_uri": f"{server.url}/token"}
        assert bearer(json.dumps(info), fetch, 0) == "t0ken"
        assert server.requests[0].form["grant_type"] == "refresh_token"


@pytest.mark.parametrize("text", ["", "{}", "[]", "no json", '{"type": "service_account"}', '{"refresh_token": 3}'])
def test_another_file_is_refused_in_words(text: str) -> None:
    with pytest.raises(NotAsked, match="a Google key file"):
        bearer(text, fetch, 0)


@pytest.mark.parametrize("answer", [Answer.json({"error": "invalid_grant"}, 400), Answer(200, b"<html>"), Answer(500)])
def test_a_refused_key_is_said_without_repeating_it(answer: Answer) -> None:
    with Replay({"/token": answer}) as server:
        info = {"client_id": "c", "client_secret": "hush", "refresh_token": "hush", "token_uri": f"{server.url}/token"}
        with pytest.raises(NotAsked) as caught:
            bearer(json.dumps(info), fetch, 0)
    assert "hush" not in str(caught.value)
    assert "accepted" in str(caught.value)
