"""Every kind of answer carries the headers that keep a browser from asking, or telling, anybody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.web import safety
from monitor.web.serve import load_metadata, make_datasette
from tests import web_data

KINDS = {
    "/": 200,
    "/.json": 200,
    "/presence": 200,
    "/presence.json": 200,
    "/presence/readings": 200,
    "/presence/readings.json": 200,
    "/presence/readings.csv": 200,
    "/presence/readings.csv?_stream=1": 200,
    "/presence/readings/1": 200,
    "/presence/readings/1.json": 200,
    "/presence/ranks_now": 200,
    "/presence/ranks_now.csv": 200,
    "/presence.db": 403,
    "/presence/readings/999999": 404,
    "/nowhere": 404,
    "/-/static/app.css": 200,
    "/-/static/nothing.css": 404,
    "/-/static-plugins/presence_monitor/home.css": 200,
    "/-/versions.json": 200,
    "/-/logout": 302,
    "/-/presence/reading/1": 200,
    "/-/presence/reading/999999": 404,
    "/-/presence/label": 200,
    "/-/presence/changes.atom": 200,
    "/-/presence/nowhere": 404,
    "/%5Cevil.example/": 403,
}


@pytest.fixture
async def ds(tmp_path: Path) -> Any:
    path = tmp_path / "presence.db"
    ds = make_datasette(web_data.filled(path, days=5), load_metadata(), mode="local")
    await ds.invoke_startup()
    return ds


@pytest.mark.parametrize("path", KINDS)
async def test_every_kind_of_answer_is_protected(ds: Any, path: str) -> None:
    answer = await ds.client.get(path, follow_redirects=False)
    assert answer.status_code == KINDS[path], answer.text[:200]
    for name, value in safety.HEADERS.items():
        stricter = ["private, no-store"] if name == "cache-control" else []  # where Datasette sets a cookie
        assert answer.headers.get_list(name) in ([value], stricter), name
    (policy,) = answer.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    allowed = {word for part in policy.split(";") for word in part.split()[1:]}
    assert allowed <= {"'none'", "'self'", "'unsafe-inline'", "data:"} | {
        w for w in allowed if w.startswith("'sha256-")
    }
    if path.startswith("/-/presence/"):
        assert "'unsafe-inline'" not in allowed
    assert "access-control-allow-origin" not in answer.headers
