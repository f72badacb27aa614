"""The owner's own numbers and addresses: found in any spelling, gone only when read, and never written down."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor import config
from monitor.attempt import Attempts
from monitor.cli import cli
from monitor.config_errors import ConfigError
from monitor.exposed import exposed
from monitor.fetch import pdf
from monitor.model import Capture, Outcome, Reading, Trigger
from monitor.outage import told
from monitor.sources.contacts.exposure_match import Text, TooMuch, place_of
from monitor.sources.contacts.exposure_page import PdfText, is_pdf, look, told_in
from monitor.sources.contacts.exposure_terms import Identifier, NotAnIdentifier, read
from monitor.store import readings, sources
from monitor.store.connection import Store, StoreError
from tests.made import DUCK
from tests.made import reading as results_page
from tests.replay import Answer, Asked, Replay

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
PHONE, MAIL, STREET = "+61 491 570 156", "Jane.Doe@mail.example.org", "12 Example St, Sydney NSW 2000"
REGIONS = ("AU", "DE")
FILLER = "<p>" + "An honest page about gardens and the people who keep them. " * 15 + "</p>"


def one(kind: str, text: str, regions: tuple[str, ...] = REGIONS) -> Identifier:
    (identifier,) = read(kind, text, regions)
    return identifier


def stands_in(text: str, identifier: Identifier | None = None, regions: tuple[str, ...] = REGIONS) -> bool:
    return bool(place_of(identifier or one("phone", PHONE), [Text("text", text)], regions))


# --- what is looked for ----------------------------------------------------------------------------------------------


def test_an_identifier_is_shown_only_by_its_mask() -> None:
    phone, mail, street = one("phone", PHONE), one("mail", MAIL), one("address", STREET)
    assert phone.masked == "+61 … 56"
    assert mail.masked == "j…@m….org"
    assert "Example" not in street.masked
    assert "(6 words)" in street.masked
    for identifier, secret in ((phone, "491"), (mail, "jane"), (street, "sydney")):
        assert secret not in repr(identifier).lower()


def test_several_are_named_one_a_line_or_by_semicolons() -> None:
    found = list(read("phone", "# mine\n0491 570 156; +49 30 23125 042\n\n(02) 5550 1234", REGIONS))
    assert [one.value for one in found] == ["+61491570156", "+493023125042", "+61255501234"]


@pytest.mark.parametrize(
    ("kind", "text"), [("phone", f"{PHONE}\n0491 57"), ("mail", f"{MAIL};jane@"), ("address", f"{STREET}\nSydney 2000")]
)
def test_a_line_that_is_none_is_named_by_its_number_alone(kind: str, text: str) -> None:
    with pytest.raises(NotAnIdentifier, match="in line 2") as caught:
        list(read(kind, text, REGIONS))
    assert not any(part in str(caught.value) for part in ("0491", "jane", "Sydney"))


# --- spellings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("+61 491 570 156", "0491 570 156", "０４９１ ５７０ １５６", "0491/570156", "0491.570.156", "0491-570-156."),
        *("(0491) 570-156 ext. 12", "+61 (0)491 570 156", "0061 491 570 156", "0011 61 491 570 156", "61491570156"),
        *(
            "tel:+61491570156",
            "https://wa.me/61491570156?text=x",
            "phone=61491570156&x=1",
            "＋６１ ４９１ ５７０ １５６",
        ),
        *("0 4 9 1 5 7 0 1 5 6", "2026 0 4 9 1 5 7 0 1 5 6", "Tel0491570156", "12/11/2026 0491 570 156"),
        *("0491\u200b570\u00ad156", "٠٤٩١ ٥٧٠ ١٥٦", "04 91 57 01 56", "+61 491 570 156 / 0491 570 999"),
        *("0491 570 156 7 days a week", "+61 3 5550 1234 / 0491 570 156", "+61\n491\n570\n156"),
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert stands_in(text)
    assert stands_in(f"Call {text}, or write")


@pytest.mark.parametrize(
    "text",
    [
        *("990491570156", "04915701567", "0491 570 15 6789", "+62 491 570 156", "0491 x 570 156", "0491 570 157"),
        *("+1 491 570 156", "1" * 40 + "0491570156", "570 156", "99049" + "-" * 27 + "1570156"),
    ],
)
def test_another_number_is_not_taken_for_it(text: str) -> None:
    assert not stands_in(text)


def test_a_national_spelling_is_read_in_the_listed_regions_and_the_number_s_own() -> None:
    berlin = one("phone", "+49 30 23125 042")
    assert stands_in("030 / 23 12 50 42", berlin, ())
    assert stands_in("+49 (0)30 23125-042 (Büro)", berlin, ("AU",))
    assert not stands_in("020 23125 042", berlin, ("AU",))


def test_a_page_of_megabytes_is_searched_at_once_and_a_trap_is_told() -> None:
    assert not stands_in("0491 570 15 7 " * 300_000)
    assert stands_in("0491 570 15 7 " * 300_000 + "0491 570 156")
    with pytest.raises(TooMuch):
        stands_in(" ".join(f"{n:05} 1570156" for n in range(5_000)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Jane.Doe@mail.example.org", True),
        ("jane.doe [at] mail [dot] example [dot] org", True),
        ("jane.doe (at) mail.example.org", True),
        ("jane dot doe at mail dot example dot org", True),
        ("write to jane.doe@mail.example.org.", True),
        ("ｊａｎｅ.doe＠mail.example.org", True),
        ("xjane.doe@mail.example.org", False),
        ("jane.doe@mail.example.org.au", False),
        ("jane.doe@mail.example.com", False),
        ("jane.doe.mail.example.org", False),
    ],
)
def test_a_mail_address_is_found_behind_common_disguises(text: str, found: bool) -> None:
    assert stands_in(text, one("mail", MAIL)) is found


def test_an_address_is_found_by_its_words_in_order() -> None:
    street = one("address", STREET)
    assert stands_in("12 EXAMPLE St.\nSydney, NSW\u00a02000, Australia", street)
    assert not stands_in("112 Example St, Sydney NSW 2000", street)
    assert not stands_in("12 Example St, Melbourne, Sydney NSW 2000", street)


# --- pages -----------------------------------------------------------------------------------------------------------


def seen(body: str | bytes, kind: str = "phone", media: str = "text/html", status: int = 200) -> tuple[str, str]:
    """The verdict, and the place or the reason."""
    raw = body.encode() if isinstance(body, str) else body
    text = {"phone": PHONE, "mail": MAIL, "address": STREET}[kind]
    capture = Capture(raw, media, "utf-8", status, asked="https://a.example/x", url="https://a.example/x")
    read_as = PdfText(*pdf.read(raw)) if is_pdf(capture) else None
    (found,) = look(capture, read_as, [one(kind, text)], REGIONS)
    return found.verdict, found.place or found.reason


def page(inside: str) -> str:
    return f"<!doctype html><html><body>{FILLER}{inside}</body></html>"


@pytest.mark.parametrize(
    ("inside", "place"),
    [
        ("<p>04<b>91</b> 570 156</p>", "text"),
        ("<td>+61</td><td>491 570 156</td>", "text"),
        ('<a href="tel:+61%20491%20570%20156">call</a>', "link"),
        ('<meta content="0491 570 156">', "link"),
        ('<script type="application/ld+json">{"telephone": "\\u002B61491570156"}</script>', "source"),
        ("<!-- 0491 570 156 -->", "source"),
    ],
)
def test_a_number_is_found_wherever_it_stands_on_a_page(inside: str, place: str) -> None:
    assert seen(page(inside)) == ("found", place)


@pytest.mark.parametrize(
    "inside",
    [
        '<a href="mailto:jane.doe@mail.example.org?subject=x">write</a>',
        "jane.doe&#64;mail&#46;example.org",
        f'<a data-cfemail="{"2a" + bytes(b ^ 0x2A for b in MAIL.lower().encode()).hex()}">[email protected]</a>',
    ],
)
def test_a_mail_is_found_in_links_entities_and_behind_cloudflare(inside: str) -> None:
    assert seen(page(inside), "mail")[0] == "found"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (page("nothing"), ("not_found", "")),
        ("<html><body>A small honest page.</body></html>", ("not_found", "")),
        (
            '<html><body><div id="root"></div><script src="app.js"></script></body></html>',
            ("could_not_read", "js_required"),
        ),
        ('<html><body>Sign in <input type="password"></body></html>', ("could_not_read", "login_wall")),
        ('<html><body><div class="h-captcha"></div>One moment</body></html>', ("could_not_read", "captcha")),
        ('<html><body><img src="scan.png"></body></html>', ("could_not_read", "empty_answer")),
        ("", ("could_not_read", "empty_answer")),
    ],
)
def test_not_found_is_said_only_of_a_page_that_was_read(body: str, expected: tuple[str, str]) -> None:
    assert seen(body) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, ("page_gone", "status 404")),
        (410, ("page_gone", "status 410")),
        (403, ("could_not_read", "denied")),
        (429, ("could_not_read", "rate_limited")),
        (500, ("could_not_read", "server_error")),
    ],
)
def test_a_refusal_is_no_page_and_a_gone_page_is_gone(status: int, expected: tuple[str, str]) -> None:
    assert seen(page("nothing"), status=status) == expected


def test_other_kinds_of_files_are_not_called_clear() -> None:
    assert seen(b"\x89PNG\r\n\0\0\0", media="image/png") == ("could_not_read", "not_text")
    assert seen("plain words", media="application/msword") == ("could_not_read", "not_text")
    assert seen("0491 570 156", media="text/plain") == ("found", "text")
    assert seen("nothing", media="text/plain") == ("not_found", "")
    assert seen("<a>" * 150_000) == ("could_not_read", "layout_unknown")
    assert seen("<a>" * 150_000 + "0491 570 156") == ("found", "text")


def test_an_address_that_tells_a_number_is_noticed() -> None:
    phone = one("phone", PHONE)
    assert told_in("https://a.example/people/0491-570-156", [phone], REGIONS)
    assert told_in("https://a.example/?tel=%2B61491570156", [phone], REGIONS)
    assert not told_in("https://a.example/people/jane", [phone], REGIONS)


# --- PDF -------------------------------------------------------------------------------------------------------------


def made_pdf(content: str, resources: str = "", extra: tuple[bytes, ...] = ()) -> bytes:
    """A PDF of one page with this content stream, by hand."""
    stream = zlib.compress(content.encode("latin-1"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> "
        f"{resources} >> >>".encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *extra,
    ]
    out, places = b"%PDF-1.4\n", []
    for n, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % n + body + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def lines(*texts: str) -> str:
    return (
        "BT /F1 12 Tf " + " ".join(f"1 0 0 1 72 {700 - 20 * n} Tm ({text}) Tj" for n, text in enumerate(texts)) + " ET"
    )


PICTURE = (
    b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>"
)
PICTURE += b"\nstream\n\xff\nendstream"


def test_a_number_in_a_pdf_is_found() -> None:
    assert seen(made_pdf(lines("Resume", "Phone 0491 570 156")), media="application/pdf") == ("found", "PDF page 1")
    assert seen(made_pdf(lines("Resume", "no number")), media="application/pdf") == ("not_found", "")


def test_a_letter_spaced_number_in_a_pdf_is_found() -> None:
    spaced = " ".join(f"1 0 0 1 {72 + 9 * n} 700 Tm ({c}) Tj" for n, c in enumerate("0491570156"))
    assert seen(made_pdf(f"BT /F1 12 Tf {spaced} ET"), media="application/pdf")[0] == "found"


def test_a_number_set_in_another_order_than_it_is_read_is_found_by_the_layout() -> None:
    parts = "1 0 0 1 160 700 Tm (570 156) Tj 1 0 0 1 72 500 Tm (Resume) Tj 1 0 0 1 120 700 Tm (0491) Tj"
    assert seen(made_pdf(f"BT /F1 12 Tf {parts} ET"), media="application/pdf") == ("found", "PDF page 1, layout")


def test_a_scanned_pdf_is_not_called_clear() -> None:
    scan = made_pdf("q 595 0 0 842 0 0 cm /Im0 Do Q", "/XObject << /Im0 6 0 R >>", (PICTURE,))
    assert seen(scan, media="application/pdf") == ("could_not_read", "scanned")
    assert seen(made_pdf(""), media="application/pdf") == ("could_not_read", "scanned")


def test_a_damaged_pdf_is_not_called_clear() -> None:
    whole = made_pdf(lines("Resume"))
    for broken in (whole[:80], b"%PDF-1.4\n" + b"\xff" * 500, whole.replace(b"/Count 1", b"/Count 9")):
        verdict, reason = seen(broken, media="application/pdf")
        assert verdict in ("could_not_read", "not_found")
        assert reason in ("damaged_file", "scanned", "")
    assert seen(b"%PDF-1.4\n" + b"\xff" * 500, media="application/pdf") == ("could_not_read", "damaged_file")


def test_a_pdf_that_keeps_its_reader_busy_is_ended() -> None:
    endless = made_pdf("BT /F1 12 Tf " + "(0) Tj " * 2_000_000 + " ET")
    assert pdf.read(endless, seconds=0.5).unread == "timeout"


# --- the settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("", "name what to look for"),
        ('phones = "0491 570 156"', "a secret is named"),
        ('phones = { env = "P" }\nregions = ["UK"]', '"UK" is no region'),
        ('phones = { env = "P" }\npages = ["https://www.linkedin.com/in/jane"]', "not LinkedIn's"),
        ('phones = { env = "P" }\nallow = ["*"]', "a * stands only at the start"),
        ('phones = { env = "P" }\nresults = 1000', "from 0 to 100"),
        ('phones = { env = "P" }\ndays = 0', "from 1 to 366"),
    ],
)
def test_a_mistake_in_the_block_is_told(keys: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[owner]\nname = "Jane"\n[[contacts]]\nkind = "exposure"\n{keys}\n')
    with pytest.raises(ConfigError) as caught:
        config.read(path)
    assert said in str(caught.value)
    assert "570" not in str(caught.value)


# --- end to end ------------------------------------------------------------------------------------------------------


class House:
    """A history with an exposure, a clock that is set, and the pages of a replay server."""

    def __init__(self, folder: Path, server: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.server, self.now = folder, server, NOW
        monkeypatch.setenv("PHONES", PHONE)
        monkeypatch.setenv("MAILS", MAIL)
        self.write()

    def write(self, extra: str = "", pages: tuple[str, ...] = ("/cv",), block: str = "") -> None:
        keys = 'phones = { env = "PHONES" }\nmails = { env = "MAILS" }\nregions = ["AU"]'
        listed = json.dumps([page if "://" in page else self.server.url + page for page in pages])
        named = block or f"{keys}\npages = {listed}"
        text = f'[owner]\nname = "Jane Doe"\ntimezone = "Australia/Sydney"\n{DUCK}[[contacts]]\nkind = "exposure"\n'
        (self.folder / "config.toml").write_text(f'{text}{named}\n{extra}\n[fetch]\nspacing = "0s"\n')

    def look(
        self, trigger: Trigger = Trigger.SCHEDULE, after: timedelta = timedelta(days=7), **how: Any
    ) -> list[Reading]:
        """An attempt, so long after the one before."""
        self.now += after
        settings = config.read(self.folder / "config.toml")
        with Store(settings.database, clock=lambda: self.now) as store:
            ids = sources.sync(store, settings, self.now)
            attempts = Attempts(settings, store, clock=lambda: self.now, sleep=lambda seconds: None, **how)
            (configured,) = settings.named("exposure")
            made = attempts.make(configured, ids["exposure"], self.now, self.now.date(), trigger)
            return [reading for _, reading in made]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with Store(self.folder / "presence.db") as store:
            return store.rows(sql)

    def state(self, kind: str = "phone") -> list[tuple[str, str | None, str | None, str | None]]:
        found = self.rows(
            f"select state, first_seen, last_seen, gone_day from exposures where kind = '{kind}' order by url"
        )
        return [(row["state"], row["first_seen"], row["last_seen"], row["gone_day"]) for row in found]

    def run(self, *args: str) -> tuple[int, str]:
        done = CliRunner().invoke(
            cli, ["--config", str(self.folder / "config.toml"), *args], catch_exceptions=False, standalone_mode=False
        )
        return done.return_value if isinstance(done.return_value, int) else done.exit_code, done.output


@pytest.fixture
def serving() -> Iterator[Callable[..., Replay]]:
    running: list[Replay] = []

    def serve(**routes: Any) -> Replay:
        paths = {f"/{name.replace('_', '.')}": route for name, route in routes.items()}
        server = Replay({"/robots.txt": Answer(404), **paths})
        running.append(server)
        return server.__enter__()

    yield serve
    for server in running:
        server.__exit__(None, None, None)


def test_found_then_blocked_then_gone(serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_number = Answer.html(page("0491 570 156"))
    answers = [with_number, with_number, Answer(403, b"no"), Answer.html(page("no number any more"))]
    house = House(tmp_path, serving(cv=answers), monkeypatch)
    (first,) = house.look()
    assert (first.outcome, len(first.records), first.exchanges[0].status) == (Outcome.OK, 2, 200)
    assert told("exposure", first).startswith("exposure: found 1 of 2 on http")
    house.look()
    assert house.state() == [("found", "2026-11-30", "2026-12-07", None)]
    (refused,) = house.look()
    assert refused.outcome is Outcome.OK  # one stranger's page that refuses is no fault of the source
    assert house.state() == [("found", "2026-11-30", "2026-12-07", None)]
    assert [row["reason"] for row in house.rows("select reason from exposure_gaps")] == ["denied"]
    house.look()
    assert house.state() == [("gone", "2026-11-30", "2026-12-07", "2026-12-21")]
    assert house.state("mail") == [("not_found", None, None, None)]
    assert house.rows("select * from exposure_gaps") == []


def test_a_page_that_never_was_there_is_not_called_clear(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(), monkeypatch)
    (reading,) = house.look()
    assert told("exposure", reading).startswith("exposure: no such page: http")
    assert house.state() == [("page_gone", None, None, None)]
    said = house.run("exposure")[1]
    assert "/cv: there is no such page (status 404)" in said
    assert "nothing is known" in said


def test_a_page_that_is_gone_is_gone_and_one_that_comes_back_is_found(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_number = Answer.html(page("0491 570 156"))
    house = House(tmp_path, serving(cv=[with_number, Answer(410), with_number]), monkeypatch)
    house.look()
    house.look()
    assert house.state() == [("gone", "2026-11-30", "2026-11-30", "2026-12-07")]
    assert "the page is gone" in house.run("exposure")[1]
    house.look()
    assert house.state() == [("found", "2026-11-30", "2026-12-14", None)]


def test_nothing_that_is_looked_for_is_written_down(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = page(f"0491 570 156 {MAIL}")
    routes = {
        "cv": Answer.redirect("/tel/0491570156?m=jane.doe%40mail.example.org"),
        "tel/0491570156": Answer.html(body),
    }
    house = House(tmp_path, serving(**routes), monkeypatch)
    (reading,) = house.look()
    assert [record.verdict for record in reading.records] == ["found", "found"]  # type: ignore[union-attr]
    assert reading.exchanges[0].capture is None
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".toml")
    for secret in (b"491570156", b"491 570 156", b"570156", b"jane.doe", b"Jane.Doe"):
        assert secret not in written
        assert secret.decode() not in repr(reading)
    said = house.run("exposure")[1] + house.run("exposure", "--json")[1] + house.run("status")[1]
    assert "570" not in said
    assert "jane.doe" not in said.lower()


@given(st.from_regex(r"4[0-9]{8}", fullmatch=True), st.sampled_from(["0{} ", "+61{}", "tel:+61 {}", "61{}"]))
def test_no_digits_of_a_number_are_in_what_is_seen(digits: str, spelling: str) -> None:
    try:
        number = one("phone", f"+61{digits}")
    except NotAnIdentifier:
        return
    capture = Capture(page(spelling.format(digits)).encode(), "text/html", asked="https://a.example/", url="")
    (found,) = look(capture, None, [number], ("AU",))
    assert found.verdict == "found"
    assert digits not in repr(found)
    assert digits[:-2] not in number.masked


def test_pages_are_due_one_by_one_and_a_kill_loses_at_most_one(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(
        tmp_path, serving(a=Answer.html(page("")), b=Answer.html(page("")), c=Answer.html(page(""))), monkeypatch
    )
    house.write(pages=("/a", "/b", "/c"))
    ticks = iter([0.0, 0.0, 100.0])
    assert len(house.look(steady=lambda: next(ticks, 100.0))) == 1  # the time of the attempt is over after a page
    gaps = {row["reason"] for row in house.rows("select reason from exposure_gaps")}
    assert gaps == {"not_looked_at"}
    assert len(house.look(after=timedelta(hours=1))) == 2
    assert house.look(after=timedelta(hours=1)) == []
    assert [len(house.server.asked(path)) for path in ("/a", "/b", "/c")] == [1, 1, 1]
    assert len(house.look(Trigger.MANUAL, after=timedelta(hours=1))) == 3  # the owner's own hand: all, now
    assert len(house.server.asked("/robots.txt")) == 3  # once for each attempt that asked


def test_the_pages_of_the_newest_results_are_looked_at_and_linkedin_is_not(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serving(cv=Answer.html(page("")), private=Answer.html(page("0491 570 156")))
    house = House(tmp_path, server, monkeypatch)
    settings = config.read(tmp_path / "config.toml")
    urls = ["https://de.linkedin.com/in/jane", f"{server.url}/private", f"{server.url}/cv/", "ftp://x.example/"]
    with Store(settings.database) as store:
        ids = sources.sync(store, settings, NOW)
        readings.save(store, ids["duckduckgo/jane-doe"], results_page(*urls, at=NOW))
    house.look()
    reasons = {row["url"]: row["reason"] for row in house.rows("select url, reason from exposure_gaps")}
    assert reasons == {
        urls[0]: "linkedin",
        urls[1]: "forbidden_address",  # a stranger's result does not lead us to this machine
        urls[3]: "opaque_link",
    }
    assert server.asked("/private") == []
    assert [request.path for request in server.requests] == ["/robots.txt", "/cv"]


def test_a_page_that_shows_a_number_is_watched_after_it_left_the_results(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page("0491 570 156")), b=Answer.html(page(""))), monkeypatch)
    house.look()
    house.write(pages=("/b",))
    assert len(house.look()) == 2
    assert house.rows("select distinct watched from exposures") == [{"watched": 1}]
    house.write(pages=("/cv",))
    house.look()
    assert house.rows("select host from exposures where watched and state = 'not_found' and kind = 'phone'") == []


def test_robots_txt_is_always_obeyed(serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page("0491 570 156"))), monkeypatch)
    house.server.routes["/robots.txt"] = Answer(200, b"User-agent: *\nDisallow: /\n")
    (reading,) = house.look()
    assert (reading.outcome, house.server.asked("/cv")) == (Outcome.OK, [])
    assert house.rows("select reason from exposure_gaps") == [{"reason": "robots"}]
    code, said = house.run("exposure")
    assert code == 0
    assert "its robots.txt asks not to be read" in said
    assert "nothing is known" in said
    assert "not found" not in said


def test_a_host_that_cannot_be_reached_is_told_beside_those_that_can(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page(""))), monkeypatch)
    nobody = "http://127.0.0.1:1/"  # asked first: in the order of the addresses
    house.write(pages=(nobody, "/cv"))
    assert [reading.outcome for reading in house.look()] == [Outcome.OK, Outcome.OK]
    house.write(pages=(nobody,))
    (reading,) = house.look()
    assert (reading.outcome, reading.reason) == (Outcome.FAILED, "connection")
    assert len(house.look(after=timedelta(hours=1))) == 1  # it stays due
    assert house.rows("select outcome from source_health where source = 'exposure'") == [{"outcome": "failed"}]


def test_a_missing_or_wrong_identifier_is_told_without_it(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page(""))), monkeypatch)
    monkeypatch.setenv("PHONES", f"{PHONE}\n04915701")
    (reading,) = house.look()
    assert (reading.outcome, reading.reason) == (Outcome.MISSED, "key_missing")
    assert "in line 2 of the environment variable PHONES" in reading.advice
    assert "0491" not in reading.advice
    secret = tmp_path / "phones"
    secret.write_text(PHONE)
    secret.chmod(0o644)
    house.write(block='phones = { file = "phones" }')
    (reading,) = house.look()
    assert "chmod 600" in reading.advice
    assert house.server.requests == []


def test_an_identifier_added_later_is_looked_for_on_every_page_and_a_dropped_one_no_more(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page("0491 570 156 and 0491 570 157"))), monkeypatch)
    house.look()
    monkeypatch.setenv("PHONES", "0491 570 157")
    (reading,) = house.look(after=timedelta(hours=1))
    assert len(reading.records) == 2
    assert [row["identifier"] for row in house.rows("select identifier from exposures where kind = 'phone'")] == [
        "+61 … 57"
    ]
    monkeypatch.setenv("PHONES", PHONE)
    assert house.look(after=timedelta(hours=1)) == []  # known as before
    assert house.state() == [("found", "2026-11-30", "2026-11-30", None)]


def test_several_lines_are_no_trouble_for_the_doctor(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page(""))), monkeypatch)
    monkeypatch.setenv("PHONES", f"{PHONE}\n0491 570 157")
    said = house.run("doctor", "--offline")[1]
    assert "source exposure" in said
    assert "key missing" not in said


def test_a_lost_key_is_told_and_nothing_begins_anew(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page(""))), monkeypatch)
    house.look()
    (tmp_path / "presence.key").unlink()
    with pytest.raises(StoreError, match=r"presence\.key"):
        house.look()


def test_exposure_is_no_coverage_of_contacts(serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, serving(cv=Answer.html(page(""))), monkeypatch)
    house.look()
    assert house.rows("select * from contact_coverage") == []


def test_a_host_that_refuses_is_left_alone(serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path, serving(cv=Answer(403, b"no")), monkeypatch)
    for _ in range(3):
        house.look()
    assert house.look(Trigger.MANUAL, after=timedelta(hours=1)) == []
    assert len(house.server.asked("/cv")) == 3


# --- the answer ------------------------------------------------------------------------------------------------------


def test_the_command_says_where_and_what_to_do(serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_number: Callable[[Asked], Answer] = lambda asked: Answer.html(page("0491 570 156"))  # noqa: E731
    house = House(tmp_path, serving(cv=with_number, old_pdf=Answer(200, b"%PDF-1.4 no", {})), monkeypatch)
    assert "No page has been looked at yet" not in house.run("status")[1]
    house.write(pages=("/cv", "/old.pdf"))
    house.look()
    code, said = house.run("exposure")
    assert code == 1
    assert "+61 … 56 (telephone number): found on 1 page where you did not mean it:" in said
    assert f"  {house.server.url}/cv (first seen 2026-11-30, last seen 2026-11-30)" in said
    assert "1 page could not be read, so nothing is clear there:" in said
    assert "/old.pdf: a PDF that cannot be read to its end" in said
    assert "Next: take it off the page" in said
    assert json.loads(house.run("exposure", "--json")[1])["identifiers"][0]["readings"]
    house.write(pages=("/cv", "/old.pdf"), extra=f'allow = ["{house.server.url}/cv"]')
    code, said = house.run("exposure")  # the config holds at once
    assert code == 0
    assert "+61 … 56 (telephone number): found only where you mean it." in said


def test_a_call_offers_the_pages_that_show_a_number_today(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path, serving(cv=[Answer.html(page("0491 570 156")), Answer.html(page(""))]), monkeypatch)
    assert "may have come" not in house.run("add", "contact", "--kind", "call", "--origin", "old resume")[1]
    house.look()
    said = house.run("add", "contact", "--kind", "call", "--origin", "old resume")[1]
    assert "Such a call may have come by one of these pages:" in said
    assert f"{house.server.url}/cv shows +61 … 56" in said
    assert "may have come" not in house.run("add", "contact", "--kind", "mail")[1]
    house.look()
    assert "may have come" not in house.run("add", "contact", "--kind", "call")[1]


def test_without_anything_it_says_how_to_begin(tmp_path: Path) -> None:
    answer = exposed([], [], [], lambda url: False)
    assert answer.unwanted == 0
    assert 'kind = "exposure"' in answer.steps[0].said


def test_a_page_that_cannot_be_read_any_more_is_still_told() -> None:
    row = {
        "identifier_id": 1,
        "url": "https://a.example/\x1b[2J",
        "state": "found",
        "verdict": "could_not_read",
        "reason": "denied",
        "first_seen": "2026-01-01",
        "last_seen": "2026-02-01",
        "place": "link",
        "found_reading_id": 7,
        "reading_id": 9,
        "watched": 1,
    }
    answer = exposed([{"id": 1, "masked": "+61 … 56", "kind": "phone"}], [row], [], lambda url: False)
    assert answer.unwanted == 1
    assert answer.identifiers[1].said.endswith("since then it could not be read: it refused")
    assert "\x1b" not in answer.identifiers[1].said
    assert answer.identifiers[1].readings == (7,)
