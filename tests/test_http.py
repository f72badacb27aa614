from __future__ import annotations

import gzip
import logging
import pickle
import socket
import ssl
import subprocess
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from monitor.fetch.guard import SocketAddress
from monitor.fetch.http import USER_AGENT, HttpFetcher
from monitor.model import Exchange, FetchFailed, Http, NotAsked, Secret
from tests.conftest import part
from tests.replay import Answer, Asked, Replay
from tests.test_body import PACKED, PAGE

KEY = "k3y/with+odd chars"
SECRET = Secret(env="TEST_KEY")
Speak = Callable[[socket.socket, threading.Event], None]
FAR_BELOW_A_HANG = 10.0  # seconds; every deadline in these tests is about one


@pytest.fixture
def fetch(tmp_path: Path) -> HttpFetcher:
    return HttpFetcher(base=tmp_path, environ={"TEST_KEY": KEY})


def at_home(*names: str) -> Callable[[str, int], list[SocketAddress]]:
    """A resolver that knows these names, all of them on loopback, and addresses."""

    def resolver(host: str, port: int) -> list[SocketAddress]:
        if host.rstrip(".") in names:
            return [("127.0.0.1", port)]
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        return [entry[4] for entry in found]  # type: ignore[misc]

    return resolver


def failure(fetch: HttpFetcher, request: Http | str) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        fetch(Http(request) if isinstance(request, str) else request)
    assert caught.value.exchange is not None
    return caught.value


def body_of(exchange: Exchange) -> bytes:
    assert exchange.capture is not None
    return exchange.capture.body


@contextmanager
def raw_server(speak: Speak, *, read_first: bool = True) -> Iterator[int]:
    """A server that says whatever it likes; `speak` gets each connection after the first bytes of the request."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                if read_first:
                    connection.recv(65_536)
                speak(connection, over)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
    thread.join()


def says(data: bytes) -> Speak:
    return lambda connection, _: connection.sendall(data)


def drips(start: bytes, drop: bytes, seconds: float = 0.05) -> Speak:
    """Sends `start`, then `drop` for ever: every wait on the socket is short, the whole is endless."""

    def speak(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(seconds):
            connection.sendall(drop)

    return speak


# --- an answer -----------------------------------------------------------------------------------------------------


def test_an_answer_is_captured_with_what_is_needed_to_read_it_again(fetch: HttpFetcher) -> None:
    headers = {
        "Content-Type": 'text/html; Charset="ISO-8859-1"',
        "ETag": '"1"',
        "X-RateLimit-Remaining": "7",
        "Set-Cookie": "id=1",
    }
    page = "<p>Zoë</p>".encode("latin-1")
    with Replay({"/s": Answer(200, page, headers)}) as server:
        exchange = fetch(
            Http(server.url + "/s?a=1", params=(("q", "Ada & Zoë"),), headers=(("Accept-Language", "en"),)), 2
        )
    capture = exchange.capture
    assert capture is not None
    assert (capture.body, capture.media_type, capture.charset, capture.status) == (page, "text/html", "iso-8859-1", 200)
    assert exchange.asked == capture.asked == exchange.url == capture.url == server.url + "/s?a=1&q=Ada+%26+Zo%C3%AB"
    assert (exchange.n, exchange.status, exchange.ms >= 0) == (2, 200, True)
    assert set(exchange.headers) == {"content-type", "date", "etag", "x-ratelimit-remaining"}
    assert exchange.headers == capture.headers
    assert server.requests[0].query == {"a": "1", "q": "Ada & Zoë"}
    assert pickle.loads(pickle.dumps(exchange)) == exchange


def test_control_characters_in_headers_become_spaces(fetch: HttpFetcher) -> None:
    head = b"HTTP/1.1 200 OK\r\nETag: a\0b\x1bc\r\nX-RateLimit-Used: 1\r\nContent-Type: text/html\0\r\n\r\n"
    with raw_server(says(head + b"ok")) as port:
        exchange = fetch(Http(f"http://127.0.0.1:{port}/"))
    assert exchange.headers == {"etag": "a b c", "x-ratelimit-used": "1", "content-type": "text/html"}
    assert exchange.capture is not None
    assert exchange.capture.media_type == "text/html"


def test_it_says_who_it_is(fetch: HttpFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Replay({"/": Answer()}) as server:
        fetch(Http(server.url + "/", headers=(("accept", "application/json"), ("Accept-Encoding", "br"))))
    sent = server.requests[0].headers
    assert sent == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": USER_AGENT,
        "accept": "application/json",
        "accept-encoding": "gzip, deflate",
        "connection": "close",
    }


def test_a_form_is_posted_as_utf8_and_shown_as_further_fields(fetch: HttpFetcher) -> None:
    with Replay({"/html/": Answer.html("")}) as server:
        exchange = fetch(Http(server.url + "/html/", form=(("q", "Zoë & 阿达"), ("b", ""))))
    assert (server.requests[0].method, server.requests[0].form) == ("POST", {"q": "Zoë & 阿达", "b": ""})
    assert server.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert exchange.asked == server.url + "/html/?q=Zo%C3%AB+%26+%E9%98%BF%E8%BE%BE&b="
    assert exchange.url == server.url + "/html/"


@pytest.mark.parametrize("status", [202, 204, 301, 304, 404, 429, 503])
def test_any_status_is_an_answer_and_nothing_is_tried_twice(fetch: HttpFetcher, status: int) -> None:
    with Replay({"/": Answer(status, b"" if status in (204, 304) else b"why", {"Retry-After": "86400"})}) as server:
        exchange = fetch(Http(server.url + "/"))
    assert exchange.status == status
    assert exchange.headers["retry-after"] == "86400"
    assert exchange.capture is not None
    assert len(server.requests) == 1


@pytest.mark.parametrize(("encoding", "packed"), PACKED)
def test_a_packed_body_is_unpacked(fetch: HttpFetcher, encoding: str, packed: bytes) -> None:
    with Replay({"/": Answer(200, packed, {"Content-Encoding": encoding})}) as server:
        assert body_of(fetch(Http(server.url + "/"))) == PAGE


def test_an_empty_packed_body_is_empty(fetch: HttpFetcher) -> None:
    with Replay({"/": Answer(200, b"", {"Content-Encoding": "gzip"})}) as server:
        assert body_of(fetch(Http(server.url + "/"))) == b""


# --- no usable answer ----------------------------------------------------------------------------------------------


def test_refused(fetch: HttpFetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = failure(fetch, f"http://127.0.0.1:{port}/")
    assert (error.reason, error.detail) == ("connection", "Connection refused")


def test_dropped(fetch: HttpFetcher) -> None:
    with Replay({"/": Answer(drop=True)}) as server:
        error = failure(fetch, server.url + "/?q=a")
    assert error.reason == "connection"
    assert error.exchange == Exchange(1, server.url + "/?q=a", error.exchange.ms, url=server.url + "/?q=a")  # type: ignore[union-attr]
    assert len(server.requests) == 1


def test_a_name_that_does_not_exist(fetch: HttpFetcher) -> None:
    assert failure(replace(fetch, resolver=at_home()), "http://nowhere.example/").reason == "dns"
    assert failure(fetch, f"http://{'a' * 64}.example/").reason == "dns"


def test_a_resolver_that_hangs(fetch: HttpFetcher) -> None:
    over = threading.Event()

    def hang(host: str, port: int) -> list[SocketAddress]:
        over.wait(60)
        return []

    started = time.monotonic()
    assert failure(replace(fetch, resolver=hang, deadline=0.3), "http://slow.example/").reason == "dns"
    assert time.monotonic() - started < FAR_BELOW_A_HANG
    over.set()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200, b"half a page", {"Content-Length": "1000"}), "truncated"),
        (Answer(200, gzip.compress(PAGE)[:-20], {"Content-Encoding": "gzip"}), "truncated"),
        (Answer(200, zlib.compress(PAGE)[:-5], {"Content-Encoding": "deflate"}), "truncated"),
        (Answer(200, gzip.compress(b"x")[:5], {"Content-Encoding": "gzip"}), "truncated"),
        (Answer(200, b"<p>not packed at all</p>", {"Content-Encoding": "gzip"}), "bad_encoding"),
        (Answer(200, gzip.compress(PAGE)[:-8] + b"12345678", {"Content-Encoding": "gzip"}), "bad_encoding"),
        (Answer(200, PAGE, {"Content-Encoding": "br"}), "bad_encoding"),
        (Answer(200, gzip.compress(gzip.compress(PAGE)), {"Content-Encoding": "gzip, gzip"}), "bad_encoding"),
        (Answer(200, b"", {"Content-Length": "5000001"}), "too_large"),
        (Answer(200, b"x" * 5_000_001), "too_large"),
    ],
)
def test_a_body_that_is_no_answer(fetch: HttpFetcher, answer: Answer, reason: str) -> None:
    with Replay({"/": answer}) as server:
        error = failure(fetch, server.url + "/")
    assert error.reason == reason
    assert error.exchange is not None
    assert (error.exchange.status, error.exchange.capture) == (200, None)
    assert "date" in error.exchange.headers


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", "truncated"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n", "too_large"),
    ],
)
def test_an_answer_that_is_hardly_http(fetch: HttpFetcher, said: bytes, reason: str) -> None:
    with raw_server(says(said)) as port:
        assert failure(fetch, f"http://127.0.0.1:{port}/").reason == reason


def test_a_host_that_speaks_no_tls(fetch: HttpFetcher) -> None:
    with raw_server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        assert failure(fetch, f"https://127.0.0.1:{port}/").reason == "tls"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "http://", "http://[::1/", ""])
def test_an_address_not_of_the_web(fetch: HttpFetcher, url: str) -> None:
    assert failure(fetch, url).reason == "bad_request"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TLS_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"  # the start of a long handshake message


@pytest.mark.parametrize(
    ("scheme", "start", "drop"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
        ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"a"),
        ("http", b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        ("http", CHUNKED, b"1\r\na\r\n"),
        ("http", CHUNKED + b"ffff\r\n", b"a"),
        ("http", CHUNKED + b"0\r\n", b"X-A: b\r\n"),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(PAGE)[:200], b""),
        ("https", TLS_RECORD, b"\0"),
    ],
    ids=["headers", "100s", "body", "until-close", "chunks", "chunk", "trailers", "gzip-silence", "tls-handshake"],
)
def test_a_server_that_drips_is_left_at_the_deadline(
    fetch: HttpFetcher, scheme: str, start: bytes, drop: bytes
) -> None:
    started = time.monotonic()
    with raw_server(drips(start, drop)) as port:
        error = failure(replace(fetch, deadline=1.0), f"{scheme}://127.0.0.1:{port}/")
    assert error.reason == "timeout"
    assert time.monotonic() - started < FAR_BELOW_A_HANG


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    openssl = part("openssl", "openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    make = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    make += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", "-"]
    made = subprocess.run(make, check=True, capture_output=True, text=True)
    path.write_text(path.read_text() + made.stdout)
    return path


def over_tls(certificate: Path, speak: Speak) -> Speak:
    """The same over TLS; the client's hello must still be unread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(connection: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(connection, server_side=True) as safe:
            safe.recv(65_536)
            speak(safe, over)

    return wrapped


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["headers", "body"])
def test_a_server_that_drips_over_tls_too(fetch: HttpFetcher, certificate: Path, start: bytes) -> None:
    started = time.monotonic()
    with raw_server(over_tls(certificate, drips(start, b"a")), read_first=False) as port:
        error = failure(replace(fetch, deadline=1.0, ca_file=certificate), f"https://127.0.0.1:{port}/")
    assert (error.reason, error.detail) == ("timeout", "over 1 s in all")
    assert time.monotonic() - started < FAR_BELOW_A_HANG


def test_a_certificate_of_nobody_we_know(fetch: HttpFetcher, certificate: Path) -> None:
    with raw_server(over_tls(certificate, says(b"HTTP/1.1 200 OK\r\n\r\nok")), read_first=False) as port:
        url = f"https://127.0.0.1:{port}/"
        assert body_of(replace(fetch, ca_file=certificate)(Http(url))) == b"ok"
        error = failure(fetch, url)
    assert error.reason == "tls"
    assert "self" in error.detail


def test_a_ca_file_that_went_away_is_told(fetch: HttpFetcher, certificate: Path, tmp_path: Path) -> None:
    with raw_server(over_tls(certificate, says(b"HTTP/1.1 200 OK\r\n\r\nok")), read_first=False) as port:
        error = failure(replace(fetch, ca_file=tmp_path / "gone.pem"), f"https://127.0.0.1:{port}/")
    assert (error.reason, error.detail) == ("tls", "no certificate can be read from the ca_file gone.pem")


def test_the_usual_authorities_are_trusted_beside_the_owners_own(
    fetch: HttpFetcher, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.pem").write_text(trustme.CA().cert_pem.bytes().decode())
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with raw_server(over_tls(certificate, says(b"HTTP/1.1 200 OK\r\n\r\nok")), read_first=False) as port:
        assert body_of(replace(fetch, ca_file=tmp_path / "other.pem")(Http(f"https://127.0.0.1:{port}/"))) == b"ok"


def test_silence_ends_at_the_reading_limit(fetch: HttpFetcher) -> None:
    started = time.monotonic()
    with raw_server(drips(b"", b"", 60)) as port:
        error = failure(replace(fetch, read=0.3), f"http://127.0.0.1:{port}/")
    assert (error.reason, error.detail) == ("timeout", "waiting for the answer")
    assert time.monotonic() - started < FAR_BELOW_A_HANG


def test_a_chain_of_slow_redirects_has_one_deadline(fetch: HttpFetcher) -> None:
    routes = {f"/{i}": Answer.redirect(f"/{i + 1}") for i in range(9)}
    with Replay(routes) as server:
        twelve_seconds_each = replace(fetch, clock=lambda: 12.0 * len(server.requests))
        error = failure(twelve_seconds_each, server.url + "/0")
    assert (error.reason, error.exchange and error.exchange.ms, len(server.requests)) == ("timeout", 36_000, 3)


def test_no_thread_or_socket_is_left_behind(fetch: HttpFetcher) -> None:
    with Replay({"/": Answer(200, b"ok")}) as server:
        before = threading.active_count()
        for _ in range(20):
            fetch(Http(server.url + "/"))
        patience = time.monotonic() + FAR_BELOW_A_HANG
        while threading.active_count() > before and time.monotonic() < patience:
            threading.Event().wait(0.01)
        assert threading.active_count() <= before


def bomb(megabytes: int) -> bytes:
    engine = zlib.compressobj(9, wbits=31)
    zeros = bytes(1_000_000)
    return b"".join(engine.compress(zeros) for _ in range(megabytes)) + engine.flush()


@pytest.mark.parametrize("where", ["answer", "redirect"])
def test_a_bomb_takes_little_memory(fetch: HttpFetcher, where: str) -> None:
    packed = Answer(302 if where == "redirect" else 200, bomb(300), {"Content-Encoding": "gzip", "Location": "/next"})
    with Replay({"/": packed, "/next": Answer.html("ok")}) as server:
        tracemalloc.start()
        try:
            if where == "redirect":
                assert body_of(fetch(Http(server.url + "/"))) == b"ok"
            else:
                assert failure(fetch, server.url + "/").reason == "too_large"
            assert tracemalloc.get_traced_memory()[1] < 10_000_000
        finally:
            tracemalloc.stop()


PACKED_AND_THEN_MORE = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"small")


@pytest.mark.parametrize(
    ("start", "drop"),
    [(CHUNKED, b"10000\r\n" + b"a" * 65_536 + b"\r\n"), (PACKED_AND_THEN_MORE, bytes(65_536))],
    ids=["chunks", "behind-a-small-packed-page"],
)
def test_an_endless_body_is_cut_at_the_limit(fetch: HttpFetcher, start: bytes, drop: bytes) -> None:
    with raw_server(drips(start, drop, seconds=0)) as port:
        assert failure(fetch, f"http://127.0.0.1:{port}/").reason == "too_large"


# --- redirects -----------------------------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_the_final_url_kept(fetch: HttpFetcher) -> None:
    routes = {"/a": Answer.redirect("../é?x=1#top".encode().decode("latin-1")), "/%C3%A9": Answer.html("there")}
    with Replay(routes) as server:
        exchange = fetch(Http(server.url + "/a"))
    assert body_of(exchange) == b"there"
    assert exchange.asked == server.url + "/a"
    assert exchange.url == server.url + "/é?x=1"


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_a_post_after_a_redirect(fetch: HttpFetcher, status: int, method: str) -> None:
    with Replay({"/a": Answer.redirect("/b", status), "/b": Answer()}) as server:
        fetch(Http(server.url + "/a", form=(("q", "x"),)))
    second = server.asked("/b")[0]
    assert (second.method, second.form) == (method, {"q": "x"} if method == "POST" else {})
    assert ("content-type" in second.headers) == (method == "POST")


def test_a_circle_is_seen_at_its_first_repeat(fetch: HttpFetcher) -> None:
    with Replay({"/a": Answer.redirect("/b"), "/b": Answer.redirect("/a")}) as server:
        error = failure(fetch, server.url + "/a")
    assert (error.reason, error.detail, len(server.requests)) == ("redirect", "in a circle", 2)


def test_five_redirects_are_enough(fetch: HttpFetcher) -> None:
    routes = {f"/{i}": Answer.redirect(f"/{i + 1}") for i in range(9)}
    with Replay({**routes, "/9": Answer()}) as server:
        assert fetch(Http(server.url + "/4")).status == 200
        assert failure(fetch, server.url + "/3").detail == "too many in a row"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "gopher://127.0.0.1/",
        "http://",
        "http://[::1",
        "//:80",
    ],
)
def test_a_redirect_off_the_web_is_refused(fetch: HttpFetcher, location: str) -> None:
    with Replay({"/": Answer.redirect(location)}) as server:
        error = failure(fetch, server.url + "/")
    assert error.reason == "redirect"
    assert error.exchange is not None
    assert error.exchange.status == 302


PRIVATE = [
    "http://localhost:{port}/secret",
    "http://[::1]:{port}/secret",
    "http://0.0.0.0:{port}/secret",
    "http://2130706433:{port}/secret",
    "http://0x7f.1:{port}/secret",
    "http://127.1:{port}/secret",
    "http://[::ffff:127.0.0.1]:{port}/secret",
    "http://[64:ff9b::7f00:1]:{port}/secret",
    "http://inside.example:{port}/secret",
    "http://INSIDE.example.:{port}/secret",
    "http://a@inside.example:{port}/secret",
    r"http://inside.example:{port}\@public.example/secret",
    "https://inside.example:{port}/secret",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "http://224.0.0.1/",
]


@pytest.mark.parametrize("location", PRIVATE)
def test_a_redirect_to_a_private_address_is_refused_before_a_packet(fetch: HttpFetcher, location: str) -> None:
    fetch = replace(fetch, resolver=at_home("public.example", "inside.example", "localhost"))
    with Replay({"/secret": Answer.html("secret")}) as server:
        server.routes["/"] = Answer.redirect(location.format(port=server.port))
        error = failure(fetch, f"http://public.example:{server.port}/")
        assert error.reason == "forbidden_address"
        assert [request.path for request in server.requests] == ["/"]


def test_a_private_host_that_the_owner_allows_may_be_redirected_to(fetch: HttpFetcher) -> None:
    fetch = replace(fetch, resolver=at_home("a.example", "b.example"), allowed_private=frozenset({"b.example"}))
    with Replay({"/b": Answer.html("ok")}) as server:
        server.routes["/a"] = Answer.redirect(f"http://b.example:{server.port}/b")
        assert body_of(fetch(Http(f"http://a.example:{server.port}/a"))) == b"ok"


def test_the_peer_is_checked_too(fetch: HttpFetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to a public address while the connection ends up inside."""
    inside = socket.socket.connect
    with Replay({"/": Answer.html("secret")}) as server:
        here = ("127.0.0.1", server.port)
        monkeypatch.setattr(socket.socket, "connect", lambda self, address: inside(self, here))
        server.routes["/a"] = Answer.redirect("http://rebound.example/")
        fetch = replace(
            fetch, resolver=lambda host, port: [("127.0.0.1" if host == "home.example" else "93.184.215.14", port)]
        )
        error = failure(fetch, f"http://home.example:{server.port}/a")
        assert (error.reason, error.detail) == ("forbidden_address", "127.0.0.1")
        assert [request.path for request in server.requests] == ["/a"]


# --- secrets -------------------------------------------------------------------------------------------------------

KEYED = [
    Http("", params=(("q", "x"), ("api_key", SECRET))),
    Http("", headers=(("X-Key", SECRET),)),
    Http("", headers=(("Authorization", Secret(env="TEST_KEY", prefix="Bearer ")),)),
    Http("", form=(("q", "x"), ("key", SECRET))),
]
SPELLINGS = ("k3y", "odd+chars", "odd%20chars")


def assert_clean(*texts: object) -> None:
    for text in texts:
        assert not any(spelling in str(text) for spelling in SPELLINGS)


@pytest.mark.parametrize("keyed", KEYED)
def test_a_key_is_sent_but_nowhere_kept(fetch: HttpFetcher, keyed: Http, caplog: pytest.LogCaptureFixture) -> None:
    def echo(request: Asked) -> Answer:
        sent = [*request.query.values(), *request.form.values(), *request.headers.values()]
        assert any(value.endswith(KEY) for value in sent)
        if request.path == "/a":
            return Answer.redirect(f"/b?{'&'.join(f'k={quote(value)}' for value in request.query.values())}", 307)
        return Answer(200, b"", {"Link": f"<{KEY}>", "ETag": "k3y%2fwith%2Bodd+chars"})

    caplog.set_level(logging.DEBUG)
    with Replay({"/a": echo, "/b": echo}) as server:
        exchange = fetch(replace(keyed, url=server.url + "/a"))
    assert exchange.headers["link"] == "<***>"
    assert_clean(exchange, caplog.text)
    assert ("***" in exchange.asked) == bool(keyed.params or keyed.form)


@pytest.mark.parametrize("keyed", KEYED)
@pytest.mark.parametrize(
    "answer", [Answer(drop=True), Answer(200, b"", {"Content-Length": "5"}), Answer.redirect("http://[")]
)
def test_a_key_is_in_no_exception(
    fetch: HttpFetcher, keyed: Http, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Replay({"/a": answer}) as server:
        error = failure(fetch, replace(keyed, url=server.url + "/a"))
    assert_clean(
        error, error.detail, error.exchange, "".join(traceback.format_exception(error)), caplog.text, repr(fetch)
    )
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_key_is_in_no_log_line_about_a_broken_header(fetch: HttpFetcher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(says(b"HTTP/1.1 200 OK\r\nX-A\0: b\r\n\r\nok")) as port:
        exchange = fetch(replace(KEYED[0], url=f"http://127.0.0.1:{port}/"))
    assert body_of(exchange) == b"ok"
    assert_clean(exchange, caplog.text)


def test_a_key_does_not_follow_to_another_host(fetch: HttpFetcher) -> None:
    fetch = replace(
        fetch, resolver=at_home("a.example", "b.example"), allowed_private=frozenset({"a.example", "b.example"})
    )
    with Replay({"/b": Answer.redirect("/c"), "/c": Answer()}) as server:
        there = f"http://b.example:{server.port}/b"
        server.routes |= {
            "/a": Answer.redirect(there, 307),
            "/leak": Answer.redirect(there + "?k=k3y%2Fwith%2Bodd%20chars"),
        }
        asked = f"http://a.example:{server.port}"
        fetch(Http(asked + "/a", headers=(("X-Key", SECRET), ("Accept-Language", "en"))))
        assert "x-key" in server.asked("/a")[0].headers
        for path in ("/b", "/c"):
            assert "x-key" not in server.asked(path)[0].headers
            assert server.asked(path)[0].headers["accept-language"] == "en"
        for refused in (Http(asked + "/a", form=(("k", SECRET),)), Http(asked + "/leak", params=(("k", SECRET),))):
            error = failure(fetch, refused)
            assert (error.reason, error.detail) == ("redirect", "it would carry the key to another host")
        assert len(server.asked("/b")) == 1


def test_without_its_key_nothing_is_asked(fetch: HttpFetcher) -> None:
    with Replay({"/": Answer()}) as server, pytest.raises(NotAsked, match="the environment variable NO_KEY"):
        fetch(Http(server.url + "/", params=(("k", Secret(env="NO_KEY")),)))
    assert server.requests == []


def test_a_user_and_password_in_an_address_are_sent_but_not_kept(fetch: HttpFetcher) -> None:
    with Replay({"/": Answer()}) as server:
        exchange = fetch(Http(f"http://ada:pw@127.0.0.1:{server.port}/"))
    assert server.requests[0].headers["authorization"] == "Basic YWRhOnB3"
    assert exchange.asked == exchange.url == f"http://***@127.0.0.1:{server.port}/"
