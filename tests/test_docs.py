"""The documentation is true: generated pages are up to date, and what is written by hand names what exists."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest

from monitor import config, config_blocks
from monitor.cli import COMMANDS
from monitor.reasons import REASONS
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def _make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_make", DOCS / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["tables.md", "sources.md", "commands.md", "reasons.md", "faults.md"])
def test_generated_pages_are_up_to_date(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert (DOCS / page).read_text() == _make().PAGES[page](), "run: python docs/make.py"


def test_every_config_key_is_explained() -> None:
    text = (DOCS / "config.md").read_text()
    models = (config.Owner, config.StoreSettings, config.FetchSettings, config.WebSettings, config.LabelSettings)
    for model in (*models, config_blocks.SourceBlock, config_blocks.SearchBlock):
        for key in model.model_fields:
            assert f"`{key}`" in text, f"{model.__name__}.{key}"


def test_every_command_and_reason_of_the_design_exists_or_is_said_to_come() -> None:
    text = (DOCS / "design.md").read_text()
    for command in COMMANDS:
        assert f"`{command}" in text or f"`monitor {command}" in text, command
    for reason in REASONS:
        assert reason in text, f"docs/design.md does not name the reason {reason}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make run" in text
    assert "make test" in text
