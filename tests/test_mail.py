"""Mails: what each is, why, and that nothing of who wrote it or what it says is given on."""

from __future__ import annotations

import hashlib
import json
import mailbox
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor import config
from monitor.model import Capture, Contact, Context, Count, Mail, MailSeen, Parsed, Secret
from monitor.sources.contacts import classify, linkedin_numbers, linkedin_words, origin, trust
from monitor.sources.contacts.imap import Imap
from monitor.sources.contacts.maildir import Maildir
from monitor.sources.contacts.mbox import Mbox
from monitor.sources.contacts.message import decode_words, read
from monitor.sources.contacts.person import person_key
from tests import made
from tests.conftest import PAGES

RULES = classify.Rules(own=("ada@example.org",), authserv="mx.example.org")
OWNER = classify.Rules(own=("owner@example.org",), authserv="mx.example.org")


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def context(**more: Any) -> Context:
    return Context(now=made.NOW, day=made.DAY, hashed=hashed, **more)


def parse(
    raw: bytes, rules: classify.Rules = RULES, headers: Mapping[str, str] | None = None, **more: Any
) -> tuple[MailSeen, Contact | None, dict[str, int]]:
    """What a mail becomes: how it was seen, the contact, the numbers by metric."""
    capture = Capture(raw, place="INBOX 1699/117", headers=headers or {})
    parsed = classify.parse(capture, context(**more), rules)
    assert parsed.increments
    seen, *others = parsed.records
    assert isinstance(seen, MailSeen)
    contact = next((r for r in others if isinstance(r, Contact)), None)
    counts = [r for r in others if isinstance(r, Count)]
    assert len(others) == (contact is not None) + len(counts)
    assert (contact is not None) == (seen.verdict in ("contact", "unsure"))
    return seen, contact, {c.metric: int(c.value or 0) for c in counts}


def twin(name: str) -> bytes:
    return (PAGES / "mail" / f"{name}.eml").read_bytes()


def mail(body: str = "", **headers: str) -> bytes:
    """A mail with a date and an id; a header set to "" is left out."""
    said = {"Date": "Tue, 10 Nov 2026 08:15:00 +0000", "Message-ID": "<one@example.org>", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in said.items() if value]
    return ("\n".join(lines) + "\n\n" + body).encode()


# What each mail is


@pytest.mark.parametrize(
    ("name", "verdict", "kind", "reason"),
    [
        ("inmail", "contact", "inmail", "template email_hire_inmail_initial_single_01"),
        ("request_2016", "contact", "request", "template email_m2m_invite_single_01 of its links"),
        ("reminder", "ignored", None, "reminder"),
        ("accepted", "ignored", None, "own request accepted"),
        ("message", "contact", "message", "template email_member_message_v2"),
        ("digest_of_messages", "unsure", "message", "several may have written"),
        ("digest", "number", None, "search_appearances"),
        ("noticed_pt", "number", None, "people_noticed"),
        ("teaser", "ignored", None, "no number"),
        ("unknown", "unknown", None, "template email_xyz_01"),
        ("lookalike", "untrusted", None, "is not"),
        ("recruiter", "contact", "mail", "recruiter: 4 of 3"),
        ("newsletter", "ignored", None, "bulk: List-Id"),
        ("friend", "ignored", None, "recruiter: 0 of 3"),
        ("own", "own", None, "one of your addresses"),
    ],
)
def test_a_mail_becomes_what_it_is(name: str, verdict: str, kind: str | None, reason: str) -> None:
    seen, contact, _ = parse(twin(name))
    assert (seen.verdict, contact and contact.kind) == (verdict, kind)
    assert reason in seen.reason
    assert seen.place == "INBOX 1699/117"


def test_a_contact_says_when_whence_and_how_far_it_is_believed() -> None:
    _, contact, _ = parse(twin("inmail"))
    assert contact is not None
    assert contact.at == datetime(2026, 11, 10, 8, 15, tzinfo=UTC)
    assert (contact.origin, contact.sender_domain, contact.trust) == ("linkedin", "linkedin.com", "verified")
    assert (
        contact.sender_key == hashed(person_key("linkedin", "BERTHA  BEISPÍEL")) == hashed("linkedin:bertha beispíel")
    )
    assert contact.message_key == hashed("mail:inmail-1@linkedin.example")
    _, old, _ = parse(twin("request_2016"))
    assert old is not None
    assert old.trust == "unverified"
    _, direct, _ = parse(twin("recruiter"))
    assert direct is not None
    assert (direct.origin, direct.sender_domain, direct.trust) == ("linkedin", "agency.example", "verified")
    assert direct.sender_key == hashed("mail:greta@agency.example")


def test_the_day_is_the_owner_s() -> None:
    _, contact, _ = parse(twin("request_2016"), zone=ZoneInfo("Australia/Sydney"))
    assert contact is not None
    assert contact.day == date(2016, 5, 3)
    assert contact.at == datetime(2016, 5, 3, 6, 30, tzinfo=UTC)
    _, late, _ = parse(mail(From="a <inmail-hit-reply@linkedin.com>", Date="Tue, 10 Nov 2026 20:00:00 +0000"),
                       zone=ZoneInfo("Australia/Sydney"))  # fmt: skip
    assert late is not None
    assert late.day == date(2026, 11, 11)


def test_a_mail_without_a_date_is_of_the_day_it_came_and_else_of_none() -> None:
    raw = mail(From="Sam <inmail-hit-reply@linkedin.com>", Date="")
    seen, contact, _ = parse(raw)
    assert (seen.verdict, contact, seen.reason) == ("ignored", None, "no date that can be read")
    _, contact, _ = parse(raw, headers={"received": "2026-11-09T10:00:00+00:00"})
    assert contact is not None
    assert contact.day == date(2026, 11, 9)
    _, contact, _ = parse(b"Received: from a by b; Sun, 8 Nov 2026 10:00:00 +0000\n" + raw)
    assert contact is not None
    assert contact.day == date(2026, 11, 8)
    future = raw.replace(b"From:", b"Date: Tue, 10 Nov 2099 08:15:00 +0000\nFrom:")
    _, contact, _ = parse(future, headers={"received": "2026-11-09T10:00:00+00:00"})
    assert contact is not None
    assert contact.day == date(2026, 11, 9)


# Numbers


def test_a_number_is_that_of_the_week_the_mail_came_and_only_from_its_sentence() -> None:
    ctx = context(zone=ZoneInfo("Australia/Sydney"))
    records = classify.parse(Capture(twin("digest")), ctx, RULES).records
    counts = {r.metric: r for r in records if isinstance(r, Count)}
    assert {metric: c.value for metric, c in counts.items()} == {"search_appearances": 1234, "people_noticed": 11}
    count = counts["search_appearances"]
    assert (count.profile, count.window, count.overlap) == ("linkedin", "week", "max")
    assert count.day == date(2026, 11, 16)  # Monday in Sydney, Sunday in Greenwich
    assert len({c.definition for c in counts.values()}) == 2
    in_utc = [r.day for r in classify.parse(Capture(twin("digest")), context(), RULES).records if isinstance(r, Count)]
    assert set(in_utc) == {date(2026, 11, 9)}


def test_a_renamed_metric_is_another_metric() -> None:
    said_as = {
        "40 profile appearances this week": "profile_appearances",
        "You appeared in 1 search this week": "search_appearances",
    }
    for said, metric in said_as.items():
        _, _, numbers = parse(mail(From="LinkedIn <notifications-noreply@linkedin.com>", Subject=said))
        assert list(numbers) == [metric]
    assert len(set(linkedin_numbers.DEFINITIONS.values())) == 4


@pytest.mark.parametrize(
    ("subject", "metric", "value"),
    [
        ("12 people viewed your profile this week", "profile_views", 12),
        ("Ada, 1,234 people viewed your LinkedIn profile", "profile_views", 1234),
        ("Sie wurden diese Woche in 1.234 Suchanfragen gefunden", "search_appearances", 1234),
        ("Vous êtes apparu(e) dans 1 234 recherches cette semaine", "search_appearances", 1234),
        ("Has aparecido en 9 búsquedas esta semana", "search_appearances", 9),
        ("Sei apparso in 9 ricerche questa settimana", "search_appearances", 9),
        ("Você apareceu em 9 pesquisas esta semana", "search_appearances", 9),
        ("9 personer har besökt din profil", "profile_views", 9),
        ("9 человек заметили вас", "people_noticed", 9),
        ("9 пользователей просмотрели ваш профиль", "profile_views", 9),
        ("今週9件の検索に表示されました", "search_appearances", 9),
        ("9명이 회원님의 프로필을 조회했습니다", "profile_views", 9),
        ("您本周出现在9次搜索中", "search_appearances", 9),
        ("9 kişi profilinizi görüntüledi", "profile_views", 9),
    ],
)
def test_numbers_are_read_in_many_languages(subject: str, metric: str, value: int) -> None:
    assert parse(mail(From="LinkedIn <messages-noreply@linkedin.com>", Subject=subject))[2] == {metric: value}


@pytest.mark.parametrize(
    "subject",
    ["1.5K people viewed your profile", "500+ people noticed you", "1,23 people noticed you", "2 3 people noticed you"],
)
def test_a_number_in_a_form_not_known_is_no_number(subject: str) -> None:
    seen, _, numbers = parse(mail(From="LinkedIn <messages-noreply@linkedin.com>", Subject=subject))
    assert (seen.verdict, numbers) == ("unknown", {})


def test_two_numbers_for_one_thing_are_none_unless_the_subject_decides() -> None:
    body = "3 people noticed you\n4 people noticed you"
    headers = {"From": "LinkedIn <messages-noreply@linkedin.com>"}
    assert parse(mail(body, **headers))[2] == {}
    assert parse(mail(body, **headers, Subject="5 people noticed you"))[2] == {"people_noticed": 5}


def test_other_numbers_do_not_match() -> None:
    body = "+4\nExample Ltd has gained 12 followers this week\nSam: 3 people noticed you\n3 people noticed your post"
    seen, _, numbers = parse(mail(body, From="LinkedIn <notifications-noreply@linkedin.com>", Subject="9 new jobs"))
    assert (seen.verdict, numbers) == ("ignored", {})


# Whom to believe


def authenticated(said: str, **headers: str) -> bytes:
    return mail(Authentication_Results=said, From="Sam <inmail-hit-reply@linkedin.com>", **headers)


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("mx.example.org; dkim=pass header.d=linkedin.com", "verified"),
        ("mx.example.org 1; spf=fail; dmarc=pass (p=reject; dis=none) header.from=e.linkedin.com", "verified"),
        ("mx.example.org; spf=pass smtp.mailfrom=bounce.linkedin.com", "unverified"),
        ("mx.example.org; dkim=temperror header.d=linkedin.com", "unverified"),
        ("mx.elsewhere.example; dkim=pass header.d=linkedin.com", "unverified"),
        ("mx.example.org.evil.example; dkim=pass header.d=linkedin.com", "unverified"),
        ("mx.example.org; dkim=pass header.d=evil.example", None),
        ("mx.example.org; dkim=pass header.d=notlinkedin.com; dmarc=fail header.from=linkedin.com", None),
        ("mx.example.org; dkim=none; dmarc=fail header.from=linkedin.com", None),
    ],
)
def test_the_provider_s_word_decides_whether_linkedin_is_linkedin(said: str, believed: str | None) -> None:
    seen, contact, _ = parse(authenticated(said))
    assert (contact.trust if contact else None) == believed
    assert seen.verdict == ("contact" if believed else "untrusted")


def test_only_the_topmost_word_counts() -> None:
    forged = "Authentication-Results: mx.example.org; dkim=pass header.d=linkedin.com\n"
    top = "Authentication-Results: mx.example.org; dkim=fail header.d=linkedin.com\n"
    raw = mail(From="Sam <inmail-hit-reply@linkedin.com>").decode()
    assert parse((top + forged + raw).encode())[0].verdict == "untrusted"


@pytest.mark.parametrize(
    ("host", "server", "believed"),
    [
        ("imap.example.org", "mx.example.org", "verified"),
        ("imap.example.org", "mx.evil-example.org", "unverified"),
        ("imap.gmail.com", "mx.google.com", "verified"),
        ("example.co.uk", "mx.other.co.uk", "unverified"),
        ("127.0.0.1", "mx.example.org", "unverified"),
        ("", "mx.example.org", "unverified"),
    ],
)
def test_the_provider_is_known_by_the_mail_host(host: str, server: str, believed: str) -> None:
    raw = authenticated(f"{server}; dkim=pass header.d=linkedin.com")
    _, contact, _ = parse(raw, classify.Rules(host=host))
    assert contact is not None
    assert contact.trust == believed


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "LinkedIn <news@mail.example>"},
        {"From": "Lınkedin Recruiter <news@mail.example>"},
        {"From": "Sam <sam@linkedin.com.mail.example>"},
        {"From": "Sam <sam@bounce.linkedin.com>"},
        {"From": "Sam <sam@1inkedin.example>"},
        {"From": "Sam <sam@xn--lnkedin-7ya.com>"},
        {"From": '"Sam <messages-noreply@linkedin.com>" <sam@mail.example>'},
        {"From": "messages-noreply@linkedin.com, sam@mail.example"},
        {"From": "Sam <sam@mail.example>", "X-LinkedIn-Template": "email_hire_inmail_initial_single_01"},
    ],
)
def test_what_only_claims_to_be_linkedin_s_never_counts(headers: dict[str, str]) -> None:
    seen, contact, numbers = parse(mail(Subject="7 people viewed your profile", **headers))
    assert (seen.verdict, contact, numbers) == ("untrusted", None, {})
    assert not classify.wants(mail(**headers), RULES)


# LinkedIn, in its order


def test_the_template_goes_before_class_links_sender_and_subject() -> None:
    noise = {"From": "Sam <invitations@linkedin.com>", "Subject": "I want to connect", "X-LinkedIn-Class": "INMAIL"}
    seen, _, _ = parse(
        mail("trk=eml-email_member_message_v2-x", X_LinkedIn_Template="email_job_alert_digest_02", **noise)
    )
    assert seen.verdict == "ignored"
    assert parse(mail("trk=eml-email_member_message_v2-x", **noise))[1].kind == "inmail"  # type: ignore[union-attr]
    noise.pop("X-LinkedIn-Class")
    assert parse(mail("trk=eml-email_member_message_v2-x", **noise))[1].kind == "message"  # type: ignore[union-attr]
    assert parse(mail(**noise))[1].kind == "request"  # type: ignore[union-attr]
    assert parse(mail(From="Sam <new-sender@linkedin.com>", Subject="Voglio collegarmi"))[1].kind == "request"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Ich möchte mich mit Ihnen vernetzen", "request"),
        ("Carl hat Ihnen eine Nachricht gesendet", "message"),
        ("Ada, отправьте сообщение своему новому контакту", "accepted"),
        ("Приглашение от Ивана ожидает ответа", "reminder"),
        ("招待が届いています。返信をお待ちしています", "reminder"),
        ("Carl vous a envoyé un message", "message"),
        ("5 neue Nachrichten", "digest"),
        ("Carl has accepted your request; carl accepted your invitation", "accepted"),
    ],
)
def test_subjects_decide_last(subject: str, kind: str) -> None:
    found = next(meant for pattern, meant in linkedin_words.BY_SUBJECT if pattern.search(subject.casefold()))
    assert found == kind


def test_a_template_in_a_strange_form_is_not_repeated() -> None:
    raw = mail(From="LinkedIn <messages-noreply@linkedin.com>", X_LinkedIn_Template="Ada Example <ada@example.org>")
    seen, _, _ = parse(raw)
    assert (seen.verdict, "Ada" in seen.reason) == ("unknown", False)


def test_whom_a_message_is_from() -> None:
    def key(name: str, subject: str = "Hello") -> str | None:
        raw = mail(From=f"{name} <messaging-digest-noreply@linkedin.com>", Subject=subject)
        contact = parse(raw)[1]
        assert contact
        return contact.sender_key

    ada = hashed("linkedin:carl contoh")
    assert (
        key("Carl Contoh via LinkedIn") == key("Carl Contoh über LinkedIn") == key("CARL\u200b Contoh 🚀, PhD") == ada
    )
    assert key("LinkedIn", "Carl Contoh just messaged you") == key("LinkedIn", "New message from Carl Contoh") == ada
    assert key("LinkedIn", "Carl just messaged you") is None  # too many are called so
    assert key("LinkedIn") is None


# Recruiters and everyone else


def test_signs_add_up_and_are_told() -> None:
    raw = mail(From="Sam <sam@agency.example>", Subject="Hello")
    assert parse(raw)[0].verdict == "ignored"
    seen, contact, _ = parse(raw, classify.Rules(agencies=("agency.example",)))
    assert contact is not None
    assert seen.reason == contact.reason == "recruiter: 3 of 3 (sender in agencies)"
    assert parse(raw, classify.Rules(agencies=("ency.example",)))[1] is None
    almost = parse(raw, classify.Rules(words=("hello",)))
    assert almost[0].verdict == "unsure"
    assert almost[1] is not None
    assert almost[1].verdict == "unsure"


@pytest.mark.parametrize(
    "subject",
    [
        "Wir suchen: Senior Entwickler, spannende Stelle, Personalberatung Muster",
        "Opportunité de carrière: Ingénieur logiciel",
        "Oportunidad: desarrollador senior, vacante",
        "Вакансия разработчик, рекрутер",
        "Recruiter here: a role for you",
    ],
)
def test_recruiters_write_in_many_languages(subject: str) -> None:
    assert parse(mail(From="Sam <sam@mail.example>", Subject=subject))[0].verdict == "contact"


@pytest.mark.parametrize(
    ("header", "value"), [("List-Id", "<a.example>"), ("Precedence", "bulk"), ("Auto-Submitted", "auto-generated")]
)
def test_bulk_goes_before_words(header: str, value: str) -> None:
    raw = mail(**{"From": "Sam <sam@agency.example>", "Subject": "Recruiter: senior engineer role", header: value})
    seen, _, _ = parse(raw, classify.Rules(agencies=("agency.example",)))
    assert (seen.verdict, seen.reason) == ("ignored", f"bulk: {header}")
    assert not classify.wants(raw, RULES)


def test_that_it_can_be_unsubscribed_makes_an_inmail_no_newsletter() -> None:
    assert b"List-Unsubscribe" in twin("inmail")
    assert parse(twin("inmail"))[0].verdict == "contact"
    raw = mail(From="Sam <sam@agency.example>", Subject="Recruiter: senior engineer role", List_Unsubscribe="<x>")
    assert parse(raw)[0].reason == "recruiter: 3 of 3 (word recruiter, word role, a job title, can be unsubscribed)"


def test_an_answer_to_the_owner_s_own_application_is_no_approach() -> None:
    raw = mail(
        "Thank you for applying to the role. Recruiting team",
        From="Sam <sam@agency.example>", Subject="Your application: Senior Engineer position",
    )  # fmt: skip
    assert parse(raw)[0].verdict == "ignored"


def test_an_answer_in_the_owner_s_own_thread_is_no_contact() -> None:
    own = parse(twin("own"))[0].message_key
    assert parse(twin("reply"))[0].verdict == "contact"
    seen, _, _ = parse(twin("reply"), own_mail=lambda key: key == own)
    assert (seen.verdict, seen.reason) == ("ignored", "answers a mail of yours")


def test_what_the_owner_said_goes_before() -> None:
    greta = hashed("mail:greta@agency.example")
    seen, _, _ = parse(twin("recruiter"), corrections={greta: "none"})
    assert seen.verdict == "ignored"
    assert seen.reason.startswith("you said so")
    assert parse(twin("recruiter"), corrections={"domain:agency.example": "none"})[1] is None
    _, contact, _ = parse(twin("recruiter"), corrections={greta: "call", "domain:agency.example": "none"})
    assert contact is not None
    assert contact.kind == "call"
    _, friend, _ = parse(twin("friend"), corrections={"domain:friends.example": "mail"})
    assert friend is not None
    assert friend.verdict == "contact"
    assert parse(twin("newsletter"), corrections={"domain:lists.example": "mail"})[1] is None
    bertha = hashed(person_key("linkedin", "Bertha Beispíel"))
    assert parse(twin("inmail"), corrections={bertha: "none"})[1] is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I came across your profile on LinkedIn.", "linkedin"),
        ("Ich bin auf LinkedIn auf Ihr Profil aufmerksam geworden.", "linkedin"),
        ("Your GitHub profile is impressive.", "github"),
        ("I enjoyed your blog very much.", "website"),
        ("I found your number in an old resume online.", "old resume"),
        ("I saw your CV on a job board.", "old resume"),
        ("A colleague gave me your name.", "referral"),
        ("I found you through Google.", "search"),
        ("Please send me your CV.", "unknown"),
        ("My LinkedIn: linkedin.com/in/sam. See our website.", "unknown"),
        ("", "unknown"),
    ],
)
def test_where_a_recruiter_found_the_owner_is_what_the_mail_says(text: str, found: str) -> None:
    assert origin.of("A role", text) == found


# What is asked for


def test_text_is_fetched_only_where_it_is_needed() -> None:
    wanted = {
        name: classify.wants(twin(name).partition(b"\n\n")[0], RULES)
        for name in (
            "inmail",
            "request_2016",
            "message",
            "digest",
            "recruiter",
            "newsletter",
            "friend",
            "own",
            "lookalike",
        )
    }
    assert {name for name, yes in wanted.items() if yes} == {"request_2016", "digest", "recruiter"}


def test_headers_alone_and_a_cut_text_are_read_too() -> None:
    raw = twin("digest")
    assert parse(raw.partition(b"\n\n")[0])[0].verdict == "ignored"
    assert parse(raw[: raw.index(b"7 connections")])[2] == {"search_appearances": 1234, "people_noticed": 11}


def test_each_kind_says_what_to_read() -> None:
    ctx = context()
    imap = Imap(host="imap.example.org", user="ada@example.org", key=Secret(env="K"), folders=("INBOX",))
    (asked,) = imap.requests(ctx)
    assert asked == Mail("imap", ("INBOX",), "imap.example.org", 993, "tls", "ada@example.org", Secret(env="K"),
                         since=date(2025, 11, 23))  # fmt: skip
    assert asked.wants(twin("digest").partition(b"\n\n")[0])
    assert not asked.wants(twin("own"))  # `own` is the user where left out
    (asked,) = Imap(host="localhost", user="ada", key=Secret(env="K"), tls="none").requests(ctx)
    assert asked.port == 143
    (asked,) = Mbox(files=("*.mbox",), since="2020-01-31").requests(ctx)
    assert asked == Mail("mbox", ("*.mbox",), since=date(2020, 1, 31))
    assert next(iter(Maildir(folders=("Mail",), since="").requests(ctx))) == Mail("maildir", ("Mail",))
    for source in (imap, Mbox(files=("a",)), Maildir(folders=("a",))):
        parsed = source.parse(Capture(twin("newsletter")), ctx)
        assert isinstance(parsed, Parsed)
        assert parsed.increments


def test_the_config_is_read_and_its_faults_are_told(tmp_path: Path) -> None:
    block = '[[contacts]]\nkind = "imap"\nhost = "{host}"\nuser = "ada@example.org"\nkey = {{ env = "K" }}\n{more}'
    (made_of,) = made.settings(tmp_path, block.format(host="imap.example.org", more='folders = ["INBOX"]')).sources
    assert isinstance(made_of.source, Imap)
    assert made_of.source.folders == ("INBOX",)
    for more in ('tls = "none"', 'since = "soon"', "port = 70000", 'tls = "ssl"', 'since = "99999999d"'):
        with pytest.raises(config.ConfigError):
            made.settings(tmp_path, block.format(host="imap.example.org", more=more))
    made.settings(tmp_path, block.format(host="127.0.0.1", more='tls = "none"'))
    for kind in ("mbox", "maildir"):
        with pytest.raises(config.ConfigError):
            made.settings(tmp_path, f'[[contacts]]\nkind = "{kind}"\n')


# Nothing is given on, and nothing breaks


def told(records: tuple[object, ...]) -> str:
    return repr(records).casefold()


def test_no_record_holds_a_name_a_subject_a_text_or_a_link() -> None:
    words = (
        *("bertha", "chance", "carl", "contoh", "dora", "emil", "fay", "greta", "hal ", "ada", "example ltd"),
        *("secret", "http", "compiler", "dinner", "guten", "came across"),
    )
    for path in sorted((PAGES / "mail").glob("*.eml")):
        records = classify.parse(Capture(path.read_bytes(), place="INBOX 1/2"), context(), RULES).records
        assert [word for word in words if word in told(records)] == [], path.name


NAMES = st.text("ZQXJVWzqxjvwéßЖ中", min_size=6, max_size=20).map(lambda text: f"qz{text}")
SENDERS = ["invitations@linkedin.com", "messages-noreply@linkedin.com", "new@linkedin.com", "sam@agency.example"]


TEMPLATES = ["", "email_member_message_v2", "email_new"]


@given(name=NAMES, subject=NAMES, text=NAMES, sender=st.sampled_from(SENDERS), template=st.sampled_from(TEMPLATES))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_no_record_ever_holds_who_or_what(name: str, subject: str, text: str, sender: str, template: str) -> None:
    raw = mail(
        f"{text} recruiter role\nhttps://www.linkedin.com/x?otpToken={text}&trk=eml-email_other-{text}",
        From=f"{name} <{sender}>", Subject=f"{subject} senior engineer job", X_LinkedIn_Template=template,
    )  # fmt: skip
    records = classify.parse(Capture(raw), context(), RULES).records
    for said in (name, subject, text):
        assert said.casefold() not in told(records)


TWINS = [path.read_bytes() for path in sorted((PAGES / "mail").glob("*.eml"))]
SCRAPS = [
    *(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", b"--b\n", b"--b--\n", b"\n", b"\r\n\r\n", b"\0", b'"'),
    *(b"From: ", b"@linkedin.com", b"<", b">", b"Subject: =?utf-8?b?", b"?=", b"=?x?q?", b"charset=idna", b"\xff\xfe"),
    *(b"Date: ", b"Mon, 31 Feb 99999 99:99:99 +9999\n", b"Content-Transfer-Encoding: base64\n", b"Received: ;"),
    *(b"Authentication-Results: ;;=pass(", b"Precedence:", b"Authentication-Results: mx.example.org; dkim=="),
]
GARBAGE = st.lists(st.one_of(st.sampled_from(TWINS + SCRAPS), st.binary(max_size=12)), max_size=8).map(b"".join)


@given(raw=st.one_of(st.binary(max_size=400), GARBAGE), cut=st.integers(0, 3000))
@example(raw=b"Content-Type: text/plain; charset=punycode\n\n\xff", cut=3000)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_garbage_is_read_without_a_fault_and_always_told(raw: bytes, cut: int) -> None:
    (seen, *_) = classify.parse(Capture(raw[:cut], place="x"), context(), RULES).records
    assert isinstance(seen, MailSeen)
    assert seen.reason
    classify.wants(raw[:cut], RULES)


def test_parts_within_parts_without_end_are_left() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000))
    assert parse(b"Date: Tue, 10 Nov 2026 08:15:00 +0000\nFrom: a@b.example\n" + deep)[0].verdict == "ignored"
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 200_000
    assert parse(b"Date: Tue, 10 Nov 2026 08:15:00 +0000\nFrom: a@b.example\n" + wide)[0].verdict == "ignored"


@pytest.mark.parametrize("filler", ["<script>", "<", "you-", "your ", "1 ", '"', "=?u?q?", "&", "\n1,", "a@"])
def test_ten_megabytes_of_anything_are_no_trouble(filler: str) -> None:
    body = filler * (10_000_000 // len(filler))
    for kind in ("plain", "html"):
        for sender in ("sam@agency.example", "messages-noreply@linkedin.com"):
            parse(mail(body, From=f"Sam <{sender}>", Subject="A role on linkedin", Content_Type=f"text/{kind}"))
    parse(f"Date: Tue, 10 Nov 2026 08:15:00 +0000\nFrom: {body}\nSubject: {body}\n\n".encode())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?b?w6k=?= x", "é x"),
        ("=?utf-8?b?w?= =?utf-8?b?", "=?utf-8?b?w?==?utf-8?b?"),
        ("=?iso-8859-1?q?=E9t=E9?=", "été"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "é"),  # one character over two words
        ("=?no-such?q?a_b?=", "a b"),
        ("=?utf-8?q?a?= and =?utf-8?q?b?=", "a and b"),
        ("plain", "plain"),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert decode_words(value) == text


def test_a_charset_that_lies_is_found_out() -> None:
    raw = "Content-Type: text/plain; charset=us-ascii\n\nÉté 東京".encode()
    assert read(raw).plain == "Été 東京"


def test_a_mail_without_an_id_is_told_by_date_sender_and_subject() -> None:
    one = mail(From="Sam <sam@mail.example>", Subject="A", Message_ID="")
    again = b"Received: elsewhere\n" + one
    other = mail(From="Sam <sam@mail.example>", Subject="B", Message_ID="")
    without = [
        parse(raw.replace(b"Message-ID: <one@example.org>\n", b""))[0].message_key for raw in (one, again, other)
    ]
    assert without[0] == without[1] != without[2]


# The captured cases


KINDS = {"connection_request": "request", "message": "message", "inmail_recruiter": "inmail", "recruiter_email": "mail"}
VERDICTS = {"metric": "number", "metric_without_number": "ignored", "ignore": "ignored", "untrusted": "untrusted"}
FOLDER = "profiles/linkedin-mail"


def check(raw: bytes, expected: dict[str, Any]) -> None:
    seen, contact, numbers = parse(raw, OWNER)
    if expected["kind"] in KINDS:
        assert contact is not None
        assert (contact.kind, contact.verdict) == (KINDS[expected["kind"]], "contact")
    else:
        assert seen.verdict == VERDICTS[expected["kind"]]
        assert numbers == expected["metrics"]


def test_captured_mails_are_what_they_are(cases: Callable[[str], Path]) -> None:
    expected = json.loads(cases(f"{FOLDER}/expected.json").read_text())
    assert len(expected) == 20
    for name, said in expected.items():
        check(cases(f"{FOLDER}/{name}").read_bytes(), said)


def test_captured_mails_in_one_file(cases: Callable[[str], Path]) -> None:
    expected = json.loads(cases(f"{FOLDER}/expected.json").read_text())
    by_id = {
        parse(cases(f"{FOLDER}/{name}").read_bytes(), OWNER)[0].message_key: said for name, said in expected.items()
    }
    mails = [bytes(message) for message in mailbox.mbox(cases(f"{FOLDER}/takeout.mbox"), create=False)]
    found = [raw for raw in mails if parse(raw, OWNER)[0].message_key in by_id]
    assert len(found) == 20
    for raw in found:
        check(raw, by_id[parse(raw, OWNER)[0].message_key])
    rest = [parse(raw, OWNER)[0].verdict for raw in mails if raw not in found]
    assert rest == ["ignored", "ignored"]  # a mail about nothing, and the piece of its body that only looks like one


def test_the_host_decides_and_not_how_it_ends() -> None:
    assert not trust.LINKEDIN & {"notlinkedin.com", "linkedin.com.evil.example"}
    assert trust.of_linkedin(read(b"From: Sam <sam@mylinkedin.com>\n\n"), "", "") == "untrusted"
