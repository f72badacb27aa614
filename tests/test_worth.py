"""What the profiles have brought: sentences that count only what is known."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from monitor.cli import cli
from monitor.worth import worth

SINCE, UNTIL = date(2026, 6, 1), date(2026, 11, 23)
MONDAYS = [SINCE + timedelta(weeks=n) for n in range(26)]
_NONE = dict.fromkeys(("search_appearances", "profile_appearances", "profile_views", "blog_views_from_linkedin"))


def contact(n: int, origin: str = "linkedin", kind: str = "inmail", *, first: int = 1, key: str | None = None) -> Any:
    day = (SINCE + timedelta(days=n)).isoformat()
    return {
        "day": day,
        "origin": origin,
        "kind": kind,
        "first": first,
        "contact_id": n,
        "sender_key": key or f"key{n:05}",
        "sender_domain": "linkedin.com" if origin == "linkedin" else "",
    }


def week(monday: date, contacts: int | None = 0, first: int = 0, **seen: int | None) -> dict[str, Any]:
    return {
        "week": monday.isoformat(),
        "read": int(contacts is not None),
        "contacts": contacts,
        "first_contacts": first,
        "from_linkedin": first,
        "first_from_linkedin": first,
        **_NONE,
        **seen,
    }


def told(contacts: list[Any], weeks: list[Any], profiles: tuple[str, ...] = ()) -> list[str]:
    return [one.said for one in worth(contacts, weeks, profiles, SINCE, UNTIL).said]


def all_known() -> list[Any]:
    return [week(monday) for monday in MONDAYS]


def test_contacts_are_told_by_where_they_came_from_and_how() -> None:
    came = [contact(1), contact(2, kind="request"), contact(3, "old resume", "call"), contact(4, first=0)]
    said = told(came, all_known())
    assert said[0] == "4 contacts came in 26 weeks, 26 of them known."
    assert said[1] == "Through: linkedin 3, old resume 1."
    assert said[2] == "As: 2 InMails, 1 connection request, 1 call."
    assert said[3] == "3 first contacts (linkedin 2, old resume 1); 1 from somebody who had been in touch before."


def test_each_sentence_leads_to_the_contacts_it_counts() -> None:
    answer = worth([contact(1), contact(2, first=0)], all_known(), (), SINCE, UNTIL)
    assert answer.said[0].contacts == (1, 2)
    assert answer.said[3].contacts == (1,)


def test_shares_are_told_only_of_twenty_and_more() -> None:
    few = told([contact(n) for n in range(19)], all_known())
    many = told([contact(n) for n in range(15)] + [contact(n, "search") for n in range(15, 20)], all_known())
    assert not any("%" in said for said in few)
    assert "Through: linkedin 15 (75 %), search 5 (25 %)." in many


def test_weeks_that_nothing_covers_are_left_out_and_named() -> None:
    weeks = [week(monday, None if 3 <= n <= 4 or n == 9 else 0) for n, monday in enumerate(MONDAYS)]
    said = told([], weeks)
    assert said[0] == "No contact came in 26 weeks, 23 of them known."
    expected = "3 weeks are left out, for nothing was read that would tell: 2026-06-22 to 2026-07-05, 2026-08-03 to"
    assert said[-1].startswith(expected)


def test_weeks_that_no_row_speaks_of_are_unknown_too() -> None:
    assert told([], [week(MONDAYS[5])])[0] == "No contact came in 26 weeks, 1 of them known."


def test_without_anything_read_it_says_so_and_not_zero() -> None:
    said = told([], [])
    assert said[0].startswith("Nothing is known of contacts in these 26 weeks: name a mailbox")
    assert not any("0 " in one for one in said[:1])


def test_profiles_that_brought_nobody_are_named() -> None:
    said = told([contact(1)], all_known(), ("linkedin", "github", "mastodon"))
    assert "No contact named github or mastodon as where it came from, in 26 known weeks." in said


def test_no_profile_is_said_to_bring_nobody_where_nothing_was_read() -> None:
    assert not any("github" in said for said in told([], [], ("github",)))


def test_who_comes_again_and_again_stands_out() -> None:
    said = told([contact(n, first=0, key="abcdefgh1234") for n in range(4)], all_known())
    assert "One sender (abcdefgh, linkedin.com) came 4 times." in said


def test_what_came_before_is_compared_and_no_cause_claimed() -> None:
    weeks = [week(m, 1, first=n % 2, search_appearances=30 if n % 2 == 0 else 10) for n, m in enumerate(MONDAYS)]
    (said,) = [one for one in told([contact(1)], weeks) if "search appearances" in one]
    assert "the median of search appearances on LinkedIn was 30 (known for 13 of 13); before the other weeks 10" in said
    assert said.endswith("That is what came before, not why.")


def test_too_few_known_weeks_are_not_compared() -> None:
    weeks = [week(m, 1, first=int(n < 2), search_appearances=9 if n < 3 else None) for n, m in enumerate(MONDAYS)]
    assert not any("search appearances" in said for said in told([contact(1)], weeks))


def test_the_command_answers_from_the_history(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[owner]\nname = "Ada Example"\ntimezone = "Europe/Vienna"\n')

    def run(*args: str) -> str:
        done = CliRunner().invoke(cli, ["--config", str(config), *args], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    run("add", "contact", "--kind", "call", "--origin", "old resume")
    run("add", "count", "github/ada", "followers", "3")
    said = run("worth")
    assert "1 contact came" in said
    assert "old resume 1" in said
    answer = json.loads(run("worth", "--json", "--months", "1"))
    assert answer["said"][0]["contacts"] == [1]


def test_an_origin_with_control_characters_does_not_steer_the_terminal(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[owner]\nname = "Ada Example"\ntimezone = "Europe/Vienna"\n')
    for args in (("add", "contact", "--kind", "mail", "--origin", "x\x1b[2Jy"), ("worth",)):
        done = CliRunner().invoke(cli, ["--config", str(config), *args], catch_exceptions=False)
    assert "x [2Jy 1" in done.output
