"""The blocks of sources in config.toml: their keys, and the sources they make.

The keys of a block are the fields of its class plus those that all blocks have, so that adding a source adds no line
here.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model, field_validator

from monitor import config_errors
from monitor.config_errors import Problem
from monitor.labels import read_pattern
from monitor.model import Measure, Secret, Source
from monitor.plan import Schedule, read_schedule
from monitor.sources import SOURCES, load

SECTIONS = ("search", "page_views", "profiles", "contacts")
_SPAN_DIGITS = 6
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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


class SourceBlock(BaseModel):
    """The keys that every source's block has."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    name: str = ""
    every: str | None = None
    at: str | None = None


class SearchBlock(SourceBlock):
    """The keys that every search's block has besides."""

    control: str = ""
    further: str = "7d"
    budget: int | None = Field(None, ge=1, strict=True)
    price: float = Field(0.0, ge=0)
    budget_cost: float | None = Field(None, gt=0)

    def calls(self) -> int | None:
        """The most calls a month, by number and by cost. Raises ValueError for a cost without a price."""
        if self.budget_cost is None:
            return self.budget
        if not self.price:
            raise ValueError("budget_cost goes with price, what 1,000 calls cost by your plan")
        return min(self.budget or 10**9, int(self.budget_cost / self.price * 1000))

    @field_validator("further")
    @classmethod
    def _span(cls, value: str) -> str:
        read_span(value)
        return value

    @field_validator("control")
    @classmethod
    def _host(cls, value: str) -> str:
        if value and read_pattern(value) != "host":
            raise ValueError("is a host that the engine must show when it is asked for it, such as example.org")
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class Configured:
    """A source as configured: its name, its class's instance and when it is due."""

    name: str
    block: str
    source: Source
    schedule: Schedule
    day_zone: str
    control: str = ""  # the host that must be shown: a control query, not a search for the owner
    further: timedelta = timedelta(days=7)  # how often page 2 and on are read when nothing of the owner's is on page 1
    budget: int | None = None  # calls a month to its host
    cost: int = 0  # of one call, in millionths of a dollar

    @property
    def zone(self) -> ZoneInfo:
        """The zone its days are counted in; a log counts in its own offset, and is asked by the owner's clock."""
        return ZoneInfo(self.day_zone)


def read_sources(
    raw: Mapping[str, typing.Any], owner: str, timezone: str, problems: list[Problem]
) -> Iterator[Configured]:
    """The sources of all blocks; what is wrong is added to `problems`."""
    seen: dict[str, str] = {}
    for section in SECTIONS:
        blocks = raw.get(section, [])
        if not isinstance(blocks, list):
            problems.append(Problem(section, f"is a list of blocks: write [[{section}]]"))
            continue
        for index, block in enumerate(blocks):
            where = f"{section}.{index}"
            for source in _block(section, where, block, owner, timezone, problems):
                if source.name in seen:
                    problems.append(Problem(where, f'two sources are called "{source.name}"; give one a name = "..."'))
                seen[source.name] = where
                yield source


def _block(
    section: str, where: str, block: object, owner: str, timezone: str, problems: list[Problem]
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
    cls = load(section, kind)
    model = model_of(cls)
    try:
        values = model.model_validate(block)
    except ValidationError as error:
        problems.extend(config_errors.from_pydantic(error, (where,), list(model.model_fields)))
        return
    try:
        yield from _made(cls, values, owner, timezone)
    except ValueError as error:
        problems.append(Problem(where, str(error)))


def _made(cls: type[Source], values: SourceBlock, owner: str, timezone: str) -> Iterator[Configured]:
    """The sources of a checked block, and a control query for a search that has one. Raises ValueError."""
    names = {f.name for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    fields = {name: getattr(values, name) for name in names & values.model_fields_set}
    if "queries" in names and not fields.get("queries") and owner:
        fields["queries"] = (owner,)
    schedule = read_schedule(values.every or (None if values.at else cls.every), values.at)
    if cls.measure is Measure.SEARCH and not cls.history and schedule.period < timedelta(days=1):
        raise ValueError('a search engine is asked at most once a day: every = "1d" or longer')
    made = cls(**fields)
    base = values.name or values.kind
    more: dict[str, typing.Any] = {}
    if isinstance(values, SearchBlock):
        more = {"further": read_span(values.further), "budget": values.calls(), "cost": round(values.price * 1000)}
    parts = list(made.split())
    for part, source in parts:
        single = not part or (values.name and len(parts) == 1)
        zone = source.series().day_zone
        day_zone = timezone if zone in ("owner", "log") else zone
        yield Configured(base if single else f"{base}/{part}", base, source, schedule, day_zone, **more)
    if isinstance(values, SearchBlock) and values.control:
        if "queries" not in names:
            raise ValueError("control goes with a search engine; this source asks no query")
        source = dataclasses.replace(made, queries=(values.control,))  # type: ignore[type-var]
        yield Configured(
            f"{base}/control", base, source, schedule, timezone, control=values.control, budget=values.budget
        )


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
    base = SearchBlock if cls.measure is Measure.SEARCH else SourceBlock
    made: type[SourceBlock] = create_model(cls.__name__, __base__=base, **fields)
    return made
