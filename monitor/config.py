"""config.toml into typed settings: every mistake at once, each with its line and the nearest right key.

The keys of a source's block are the fields of its class plus `kind`, `name`, `every` and `at`, so that adding a source
adds no line here. A file with only `[owner]` is valid.
"""

from __future__ import annotations

import dataclasses
import re
import ssl
import tomllib
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model, field_validator

from monitor import config_errors, config_path
from monitor.config_errors import ConfigError, Problem
from monitor.labels import WHOSE, read_pattern
from monitor.model import Measure, Secret, Source
from monitor.plan import Schedule, read_schedule
from monitor.sources import SOURCES, load

SECTIONS = ("search", "page_views", "profiles", "contacts")
_SPAN_DIGITS = 6
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def read_span(text: str) -> timedelta:
    """A span such as "10s", "5m", "6h" or "90d". Raises ValueError on anything else."""
    number, unit = text[:-1], text[-1:]
    names = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    if unit not in names or not (number.isascii() and number.isdecimal()):
        raise ValueError('a span is a number and a unit: "10s", "5m", "6h", "90d"')
    if len(number) > _SPAN_DIGITS:
        raise ValueError(f"a span has at most {_SPAN_DIGITS} digits")
    return timedelta(**{names[unit]: int(number)})


def read_secret(value: object) -> Secret:
    """A secret as written in the file: its name. Raises ValueError, never repeating what was written."""
    if isinstance(value, dict) and len(value) == 1:
        (name, said), *_ = value.items()
        if name == "env" and isinstance(said, str) and not _VARIABLE.fullmatch(said):
            raise ValueError("env is the name of an environment variable (letters, digits and _), not the key itself")
        if name in ("env", "file") and isinstance(said, str) and said and said.isprintable():
            return Secret(**{name: said})
    raise ValueError('a secret is named, never written here: { env = "NAME" } or { file = "path" }, one of the two')


class Owner(_Block):
    """Whose presence is watched."""

    name: str
    aliases: list[str] = []
    timezone: str = "UTC"

    @field_validator("name")
    @classmethod
    def _said(cls, value: str) -> str:
        if not (value.strip() and value.isprintable()):
            raise ValueError("is the name of the person watched, on one line")
        return value.strip()

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in available_timezones():
            near = config_errors.nearest(value, available_timezones())
            raise ValueError(f"no such time zone{near}")
        return value


class _Spans(_Block):
    @field_validator("keep_captures", "spacing", check_fields=False)
    @classmethod
    def _span(cls, value: str) -> str:
        read_span(value)
        return value


class StoreSettings(_Spans):
    """Where the history is kept."""

    path: str = "presence.db"
    keep_captures: str = "90d"

    @field_validator("path")
    @classmethod
    def _file(cls, value: str) -> str:
        if not Path(value).name or not value.isprintable():
            raise ValueError('is the name of a file, such as "presence.db"')
        return value


class FetchSettings(_Spans):
    """How sources are asked."""

    spacing: str = "10s"
    robots: typing.Literal["tell", "obey"] = "tell"
    ca_file: str = ""

    def doubt(self, base: Path) -> str:
        """What is wrong with `ca_file`, relative to the config's folder; empty when nothing is."""
        if not self.ca_file:
            return ""
        try:
            ssl.create_default_context(cafile=base / self.ca_file)
        except FileNotFoundError:
            return f"no such file: {base / self.ca_file}"
        except ssl.SSLError:
            return "holds no certificate; it is a PEM file, which begins with -----BEGIN CERTIFICATE-----"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return ""


class WebSettings(_Block):
    """Where the pages are served."""

    host: str = "127.0.0.1"
    port: int = Field(8001, ge=0, le=65535)
    allowed_hosts: list[str] = []

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if value not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("the pages are served to this machine only: use 127.0.0.1 (a tunnel reaches it from afar)")
        return value


def read_ping(value: object) -> str | Secret:
    """The address of the dead-man ping, or its name. Raises ValueError, never repeating what was written."""
    if isinstance(value, str):
        if re.fullmatch(r"https://[^\s/?#@]+([/?#]\S*)?", value):
            return value
        raise ValueError('is an address that begins with https://, or named: { env = "PING_URL" }')
    return read_secret(value)


class ServiceSettings(_Block):
    """What tells others that Monitor is alive."""

    ping: typing.Annotated[str | Secret | None, BeforeValidator(read_ping)] = None


class LabelSettings(_Block):
    """Whose a page is, as patterns: host, *.host, host/path or a full URL."""

    mine: list[str] = []
    about_me: list[str] = []
    namesake: list[str] = []
    unwanted: list[str] = []
    other: list[str] = []

    @field_validator("*")
    @classmethod
    def _patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            read_pattern(pattern)
        return value


class SourceBlock(BaseModel):
    """The keys that every source's block has."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    name: str = ""
    every: str | None = None
    at: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Configured:
    """A source as configured: its name, its class's instance and when it is due."""

    name: str
    block: str
    source: Source
    schedule: Schedule
    day_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone its days are counted in; a log counts in its own offset, and is asked by the owner's clock."""
        return ZoneInfo(self.day_zone)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The whole file, checked."""

    path: Path
    owner: Owner
    store: StoreSettings
    fetch: FetchSettings
    web: WebSettings
    labels: tuple[tuple[str, str], ...]
    sources: tuple[Configured, ...]
    digest: str = ""
    service: ServiceSettings = dataclasses.field(default_factory=ServiceSettings)

    @property
    def base(self) -> Path:
        """The folder that relative paths in the file are relative to."""
        return self.path.parent

    @property
    def database(self) -> Path:
        """The history's file."""
        return self.base / self.store.path

    def named(self, name: str) -> tuple[Configured, ...]:
        """The sources meant by a name at the command line: one source, or all of a block's."""
        exact = tuple(s for s in self.sources if s.name == name)
        return exact or tuple(s for s in self.sources if name in (s.block, s.source.kind))


def read(path: Path) -> Settings:
    """Read and check a config file.

    Raises ConfigError holding every problem found, each with file, line, key and what would be right.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            path, [Problem("", "no such file; write one with [owner] name = ..., or name it: --config FILE")]
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(path, [config_errors.not_utf8(error)], raw.decode("latin-1")) from None
    except OSError as error:
        raise ConfigError(path, [Problem("", f"cannot be read: {error.strerror}")]) from None
    return dataclasses.replace(parse(text, path), digest=config_path.digest(raw))


def parse(text: str, path: Path) -> Settings:
    """Check the text of a config file that stands (or would stand) at `path`. Raises ConfigError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, [config_errors.not_toml(error)], text) from None
    problems: list[Problem] = []
    tables: dict[str, type[_Block]] = {
        "owner": Owner,
        "store": StoreSettings,
        "fetch": FetchSettings,
        "web": WebSettings,
        "service": ServiceSettings,
        "labels": LabelSettings,
    }
    problems += [
        Problem(key, f"unknown section{config_errors.nearest(key, [*tables, *SECTIONS])}")
        for key in raw
        if key not in tables and key not in SECTIONS
    ]
    checked: dict[str, typing.Any] = {}
    for key, model in tables.items():
        if key == "owner" and key not in raw:
            problems.append(Problem("owner", 'is missing; add [owner] with name = "Your Name"'))
            continue
        try:
            checked[key] = model.model_validate(raw.get(key, {}))
        except ValidationError as error:
            problems += config_errors.from_pydantic(error, (key,), list(model.model_fields))
    if "fetch" in checked and (doubt := checked["fetch"].doubt(path.parent)):
        problems.append(Problem("fetch.ca_file", doubt))
    if "labels" in checked:
        problems += _labelled_twice(checked["labels"])
    sources = list(_sources(raw, checked.get("owner"), problems))
    if problems:
        raise ConfigError(path, problems, text)
    labels = tuple((pattern, whose) for whose in WHOSE for pattern in getattr(checked["labels"], whose))
    parts = {key: checked[key] for key in ("owner", "store", "fetch", "web", "service")}
    return Settings(path=path, labels=labels, sources=tuple(sources), **parts)


def _labelled_twice(labels: LabelSettings) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for whose in WHOSE:
        for pattern in getattr(labels, whose):
            if pattern in seen:
                yield Problem(f"labels.{whose}", f'"{pattern}" is labelled twice, also in {seen[pattern]}; keep one')
            seen[pattern] = whose


def _sources(raw: Mapping[str, typing.Any], owner: Owner | None, problems: list[Problem]) -> Iterator[Configured]:
    seen: dict[str, str] = {}
    for section in SECTIONS:
        blocks = raw.get(section, [])
        if not isinstance(blocks, list):
            problems.append(Problem(section, f"is a list of blocks: write [[{section}]]"))
            continue
        for index, block in enumerate(blocks):
            where = f"{section}.{index}"
            for source in _block(section, where, block, owner, problems):
                if source.name in seen:
                    problems.append(Problem(where, f'two sources are called "{source.name}"; give one a name = "..."'))
                seen[source.name] = where
                yield source


def _block(
    section: str, where: str, block: object, owner: Owner | None, problems: list[Problem]
) -> Iterator[Configured]:
    if not isinstance(block, dict):
        problems.append(Problem(where, f"is a block: write [[{section}]] and its keys below it"))
        return
    kinds = [kind for part, kind in SOURCES if part == section]
    kind = block.get("kind")
    if not isinstance(kind, str) or (section, kind) not in SOURCES:
        said = f'no such source "{kind}"' if kind else "kind is missing"
        near = config_errors.nearest(str(kind), kinds) or f"; this section has: {', '.join(kinds) or 'none yet'}"
        problems.append(Problem(f"{where}.kind" if kind else where, said + near))
        return
    cls = load(section, str(kind))
    model = model_of(cls)
    try:
        values = model.model_validate(block)
    except ValidationError as error:
        problems.extend(config_errors.from_pydantic(error, (where,), list(model.model_fields)))
        return
    fields = {f.name: getattr(values, f.name) for f in dataclasses.fields(cls) if f.name in values.model_fields_set}  # type: ignore[arg-type]
    if cls.measure is Measure.SEARCH and not fields.get("queries") and owner:
        fields["queries"] = (owner.name,)
    try:
        schedule = read_schedule(values.every or (None if values.at else cls.every), values.at)
        if cls.measure is Measure.SEARCH and schedule.period < timedelta(days=1):
            raise ValueError('a search engine is asked at most once a day: every = "1d" or longer')
        made = cls(**fields)
        parts = list(made.split())
    except ValueError as error:
        problems.append(Problem(where, str(error)))
        return
    base = values.name or str(kind)
    for part, source in parts:
        single = not part or (values.name and len(parts) == 1)
        zone = source.series().day_zone
        day_zone = owner.timezone if owner and zone in ("owner", "log") else zone if zone != "owner" else "UTC"
        yield Configured(base if single else f"{base}/{part}", base, source, schedule, day_zone)


def model_of(cls: type[Source]) -> type[SourceBlock]:
    """The checked form of a source's block: the common keys and the fields of its class."""
    hints = typing.get_type_hints(cls)
    fields: dict[str, typing.Any] = {}
    for f in dataclasses.fields(cls):  # type: ignore[arg-type]
        default = ... if f.default is dataclasses.MISSING else f.default
        hint = hints[f.name]
        if Secret in (hint, *typing.get_args(hint)):
            hint = typing.Annotated[hint, BeforeValidator(read_secret)]
        fields[f.name] = (hint, Field(default, strict=True) if hint in (int, bool, float) else default)
    made: type[SourceBlock] = create_model(cls.__name__, __base__=SourceBlock, **fields)
    return made
