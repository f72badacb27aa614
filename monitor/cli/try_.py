"""`monitor try`: look at a page once, and see what would be read from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from monitor.sources.profiles.any_number import AnyNumber
    from monitor.trying import Trial, Tried

SHOWN = 5  # matches


@click.command("try")
@click.argument("url", default="")
@click.option("--css", multiple=True, help="Look by a CSS selector.")
@click.option("--xpath", multiple=True, help="Look by an XPath expression.")
@click.option("--regex", multiple=True, help="Look by a regular expression in the page as it is sent.")
@click.option("--jmespath", multiple=True, help="Look by a JMESPath expression in a JSON answer.")
@click.option("--attribute", default="", help="Read this attribute of what CSS or XPath finds.")
@click.option("--locale", default="", help="How the page writes numbers, as en or de_CH.")
@click.option("--key", default="", metavar="NAME", help="Send the key in this environment variable.")
@click.option("--header", default="Authorization", show_default=True, help="The header that the key goes in.")
@click.option("--profile", default="", help="The profile's name in the block that is printed.")
@click.option("--metric", default="", help="The metric's name in the block that is printed.")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Look at this saved page; nobody is asked.",
)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.pass_obj
def try_(config_path: Path, /, **given: Any) -> int:
    """Look at a page once: what stands where you say, and the number that is read from it.

    The page is asked for as politely as a source, and nothing is stored. At the end stands the block to paste into the
    config. Several ways of looking may be given at once. Exit code 1 when one of them gave no number.

    \b
    Example: monitor try https://forum.example.org/u/jane --css ".stats .followers" --locale en
    Example: monitor try --file saved.html --regex "([0-9.,]+) followers" --locale en
    """  # noqa: D301
    from monitor import config, trying

    sources = _sources(given)
    try:
        if given["file"]:
            trial = trying.on_file(given["file"], sources)
        else:
            trial = trying.on_web(config.read(config_path), sources)
    except (OSError, ValueError) as error:
        if not given["file"]:
            raise
        raise click.ClickException(f"{given['file'].name} cannot be looked at: {error}") from error
    never = bool(given["file"]) and (not given["url"] or sources[0].url != given["url"])
    if given["as_json"]:
        click.echo(json.dumps(_as_json(trial, never), indent=2, ensure_ascii=False))
    else:
        _print(trial, never)
    return 0 if all(tried.count for tried in trial.tried) else 1


def _sources(given: dict[str, Any]) -> list[AnyNumber]:
    """A source for each way of looking. Raises UsageError."""
    from monitor import urls
    from monitor.model import Secret
    from monitor.sources.profiles.any_number import AnyNumber
    from monitor.trying import NOWHERE

    ways = [(way, said) for way in ("css", "xpath", "regex", "jmespath") for said in given[way]]
    if not ways:
        raise click.UsageError("say what to look for: --css, --xpath, --regex or --jmespath")
    if not given["url"] and not given["file"]:
        raise click.UsageError("give the page's address, or a saved page with --file")
    url = given["url"]
    if given["file"] and (not url or urls.is_never_asked(url)):
        url = NOWHERE
    try:
        return [
            AnyNumber(
                url=url,
                profile=given["profile"] or urls.host(url) or "profile",
                metric=given["metric"] or "followers",
                attribute=given["attribute"] if way in ("css", "xpath") else "",
                locale=given["locale"],
                key=Secret(env=given["key"]) if given["key"] else None,
                header=given["header"],
                **{way: said},
            )
            for way, said in ways
        ]
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _print(trial: Trial, never: bool) -> None:
    from monitor.sources.profiles.any_number import quoted

    if trial.capture is None:
        click.echo(f"{trial.tried[0].reason}: {quoted(trial.tried[0].advice, 600)}")
        return
    capture = trial.capture
    led = f", led to {quoted(capture.url, 200)}" if capture.url != capture.asked else ""
    click.echo(f"status {capture.status}, {len(capture.body):,} bytes, {capture.media_type or 'no type'}{led}")
    if trial.robots is False:
        click.echo("robots.txt asks not to read this address; [fetch] robots says what is done about that.")
    for tried in trial.tried:
        _print_one(tried, never)


def _print_one(tried: Tried, never: bool) -> None:
    from monitor.sources.profiles.any_number import quoted

    click.echo(f"\n{tried.source.way} {quoted(tried.source.expression, 200)}: {len(tried.matches)} found")
    for match, value in list(zip(tried.matches, tried.values, strict=True))[:SHOWN]:
        read = "no number" if value is None else f"{value:,}"
        click.echo(f'  "{quoted(match.said, 100)}" -> {read}    in: {quoted(match.around, 160)}')
    if tried.count is None:
        click.echo(f"{tried.reason}: {quoted(tried.advice, 600)}")
        return
    click.echo(f"read: {tried.count.value:,} ({tried.count.precision})")
    if never:
        click.echo("A page of LinkedIn's is taken in with: monitor import FILE; another one needs its address here.")
    else:
        click.echo(f"\n{block(tried.source)}")


def block(source: AnyNumber) -> str:
    """The block for config.toml that reads this number."""
    lines = ["[[profiles]]", 'kind = "any_number"']
    names = ("url", "profile", "metric", source.way, "attribute", "locale")
    lines += [f"{name} = {_toml(said)}" for name in names if (said := getattr(source, name))]
    if source.key:
        lines.append(f"key = {{ env = {_toml(source.key.env)} }}")
        if source.header != "Authorization":
            lines.append(f"header = {_toml(source.header)}")
    return "\n".join(lines)


def _toml(said: str) -> str:
    if "\\" in said and "'" not in said and said.isprintable():
        return f"'{said}'"
    return json.dumps(said, ensure_ascii=not said.isprintable())


def _as_json(trial: Trial, never: bool) -> dict[str, Any]:
    from monitor.sources.profiles.any_number import quoted

    capture = trial.capture
    return {
        "status": capture.status if capture else None,
        "size": len(capture.body) if capture else None,
        "url": quoted(capture.url, 2000) if capture else None,
        "media_type": quoted(capture.media_type) if capture else None,
        "robots": trial.robots,
        "tried": [
            {
                "way": tried.source.way,
                "expression": tried.source.expression,
                "found": len(tried.matches),
                "matches": [
                    {"text": quoted(match.said, 500), "value": value, "around": quoted(match.around, 500)}
                    for match, value in list(zip(tried.matches, tried.values, strict=True))[:SHOWN]
                ],
                "value": tried.count.value if tried.count else None,
                "precision": tried.count.precision if tried.count else None,
                "reason": tried.reason,
                "advice": quoted(tried.advice, 600),
                "block": block(tried.source) if tried.count and not never else None,
            }
            for tried in trial.tried
        ],
    }
