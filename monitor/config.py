"""config.toml into typed settings: every mistake at once, each with its line and the nearest right key.

A file with only `[owner]` is valid. The sources' blocks are read by `config_blocks`.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from monitor import config_errors, config_path
from monitor.config_blocks import SECTIONS, Configured, SourceBlock, read_secret, read_sources, read_span
from monitor.config_errors import ConfigError, Problem
from monitor.labels import WHOSE, read_pattern
from monitor.model import Secret


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


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
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # OSError: the name of a folder of zones
            near = config_errors.nearest(value, available_timezones())  # opens all 600 of them
            raise ValueError(f"no such time zone{near}") from None
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
        import ssl  # only who names a file needs it here

        try:
            ssl.create_default_context(cafile=base / self.ca_file)
        except FileNotFoundError:
            return f"no such file: {base / self.ca_file}"
        except ssl.SSLError:
            return "holds no certificate; it is a PEM file, which begins with -----BEGIN CERTIFICATE-----"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return ""


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _read_optional_secret(value: object) -> Secret | None:
    return None if value is None else read_secret(value)


class WebSettings(_Block):
    """Where the pages are served, and to whom: `mode` comes first, since the other keys are judged by it."""

    mode: typing.Literal["local", "password"] = "local"
    host: str = "127.0.0.1"
    port: int = Field(8001, ge=0, le=65535)
    allowed_hosts: list[str] = []
    password: typing.Annotated[Secret | None, BeforeValidator(_read_optional_secret)] = Field(
        None, validate_default=True
    )

    @field_validator("host")
    @classmethod
    def _near(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("mode") == "local" and value not in LOOPBACK:
            raise ValueError(
                "the pages are served to this machine only: use 127.0.0.1 (a tunnel reaches it from afar), or set a"
                ' password: mode = "password"'
            )
        if not re.fullmatch(r"[0-9A-Za-z.:_-]+", value):
            raise ValueError("is an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them")
        return value

    @field_validator("password")
    @classmethod
    def _named(cls, value: Secret | None, info: ValidationInfo) -> Secret | None:
        if info.data.get("mode") == "password" and value is None:
            raise ValueError(
                'is missing: mode = "password" needs the hash that `datasette hash-password` prints, named and not'
                ' written here: password = { env = "MONITOR_PASSWORD_HASH" }'
            )
        if info.data.get("mode") == "local" and value is not None:
            raise ValueError('goes with mode = "password"; without it nobody would be asked for one')
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
    owner = checked.get("owner")
    sources = list(read_sources(raw, owner.name if owner else "", owner.timezone if owner else "UTC", problems))
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


__all__ = ["Configured", "Settings", "SourceBlock", "parse", "read", "read_secret", "read_span"]
