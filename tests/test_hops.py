from __future__ import annotations

import pytest

from monitor.fetch.hops import Hop, next_hop
from monitor.fetch.secrets import Redactor
from monitor.model import FetchFailed

KEY = "k3y/with+odd chars"


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("https://a.example/", "https://a.example:443/b", True),
        ("https://a.example/", "https://a.example:8443/b", False),
        ("http://a.example:8443/", "https://a.example:8443/b", False),
        ("http://a.example/", "https://a.example/b", False),
        ("https://a.example/", "https://a.example.evil.example/b", False),
    ],
)
def test_a_key_stays_with_its_origin(before: str, after: str, kept: bool) -> None:
    hop = Hop("GET", before, (("X-Key", KEY.encode()), ("Accept", b"*/*")), secret_names=frozenset({"x-key"}))
    onward = next_hop(hop, 302, after, Redactor([KEY]))
    assert [name for name, _ in onward.headers] == (["X-Key", "Accept"] if kept else ["Accept"])


def test_a_request_with_a_key_is_not_led_out_of_tls() -> None:
    hop = Hop("GET", "https://a.example/", (("X-Key", KEY.encode()),), secret_names=frozenset({"x-key"}))
    with pytest.raises(FetchFailed, match="unencrypted"):
        next_hop(hop, 302, "http://a.example/", Redactor([KEY]))
