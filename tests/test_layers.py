"""The shape of the house: imports go down only, and the pure rooms can reach nothing of the world."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "monitor"

# Each room and the rooms of ours it may import. A room is a module, or a folder for all in it.
ROOMS = {
    "model": set(),
    "times": set(),
    "config_errors": set(),
    "config_path": set(),
    "urls": set(),
    "reasons": {"model"},
    "labels": {"urls", "model"},
    "sources": {"labels", "model", "refusal", "urls", "sources"},
    "politeness": {"model", "reasons"},
    "plan": {"model", "reasons"},
    "sanity": {"model", "urls"},
    "refusal": {"model"},
    "collect": {"model", "reasons", "refusal", "sanity", "urls"},
    "config_blocks": {"config_errors", "labels", "model", "plan", "sources"},
    "config": {"config_blocks", "config_errors", "config_path", "labels", "model", "plan", "sources"},
    "fetch": {"model", "urls", "fetch", "__init__"},
    "store": {"config", "insight", "labels", "model", "plan", "politeness", "store", "times", "urls"},
    "importing_kinds": set(),
    "importing_profiles": {"fetch", "collect", "importing", "importing_kinds", "model", "sources", "store"},
    "importing": {"collect", "config", "importing_kinds", "model", "plan", "sources", "store"},
    "importing_archives": {"fetch", "importing", "model", "sources", "store"},
    "importing_logs": {"ahead", "collect", "config", "fetch", "importing", "model", "sources", "store"},
    "memory": set(),
    "ahead": {"collect", "model"},
    "attempt": {
        "ahead",
        "collect",
        "config",
        "importing",
        "sources",
        "labels",
        "fetch",
        "model",
        "politeness",
        "reasons",
        "store",
        "times",
    },
    "trying": {"attempt", "collect", "config", "fetch", "model", "plan", "sources", "store"},
    "doctor": {"attempt", "collect", "config", "doctor", "fetch", "keeping", "model", "politeness", "store", "times"},
    "reread": {"collect", "config", "model", "store", "times"},
    "heartbeat": set(),
    "outage": {"model"},
    "service": {"fetch", "model"},
    "reload": {"attempt", "config"},
    "schedule": {
        *("attempt", "config", "config_errors", "heartbeat", "model", "outage", "plan", "reasons", "reload"),
        *("service", "store", "times"),
    },
    "insight": set(),
    "keeping": set(),
    "worth": set(),
    "exposed": {"plain"},
    "plain": set(),
    "demo": {"config", "demo", "model", "plan", "reasons", "sources", "store"},
    # sources: the charset of a kept page alone; store: the label form alone, as below
    "web": {
        *("labels", "model", "sources", "store", "times", "urls", "web", "insight", "worth", "exposed", "__init__"),
    },
    "cli": {
        *(
            "attempt",
            "cli",
            "importing",
            "importing_archives",
            "importing_logs",
            "sources",
            "trying",
            "outage",
            "config",
            "config_errors",
            "demo",
            "fetch",
            "insight",
            "memory",
            "plain",
            "keeping",
            "worth",
            "exposed",
            "labels",
            "model",
            "plan",
            "reread",
            "schedule",
            "store",
        ),
        *("config_path", "doctor", "service", "times", "urls", "web", "__init__"),
    },
    "__main__": {"cli"},
    "__init__": set(),
}
PURE = (
    "model",
    "reasons",
    "sources",
    "urls",
    "labels",
    "politeness",
    "plan",
    "sanity",
    "refusal",
    "collect",
    "insight",
    "keeping",
    "outage",
    "worth",
    "exposed",
)
WORLD = {
    *("asyncio", "glob", "http", "io", "os", "pathlib", "random", "requests", "secrets", "shutil", "signal", "socket"),
    *("sqlite3", "sqlite_utils", "ssl", "subprocess", "tempfile", "threading", "time", "urllib3", "uvicorn"),
}
LOOKS_AT_THE_CLOCK = {"now", "today", "utcnow", "open", "getenv", "input"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names a module imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("monitor.")}
    rooms = {name if name in ROOMS else "__init__" for name in ours}
    assert rooms <= ROOMS[room_of(path)] | {room_of(path)}


@pytest.mark.parametrize(
    "path", [p for p in modules() if room_of(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_pure_module_reaches_no_socket_file_database_clock_or_environment(path: Path) -> None:
    names = {name.split(".")[0] for name in imported(path)} | {
        name for name in imported(path) if name == "urllib.request"
    }
    assert not names & (WORLD | {"urllib.request"})
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    called = {f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in calls}
    assert not called & LOOKS_AT_THE_CLOCK


def test_of_the_web_the_label_form_alone_reaches_the_store() -> None:
    files = sorted((PACKAGE / "web").rglob("*.py"))
    assert [p.name for p in files if any(name.startswith("monitor.store") for name in imported(p))] == ["label_form.py"]


def test_there_are_no_import_cycles() -> None:
    graph = {}
    for path in modules():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = imported(path)
    known = set(graph)
    edges = {
        name: {dep if dep in known else dep.rpartition(".")[0] for dep in deps} & known - {name}
        for name, deps in graph.items()
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' -> '.join([*trail, name])}"
        if name not in done:
            for target in edges[name] - {"monitor"}:
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from monitor.cli import cli; cli.main(['--help'], standalone_mode=False);"
        "heavy = {'requests', 'bs4', 'lxml', 'datasette', 'apscheduler', 'sqlite_utils', 'pydantic'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.splitlines()[-1] == "[]"


def test_blanket_excepts_are_counted() -> None:
    """Three edges may catch everything: the parse of a page or mail, an attempt of the scheduler. main() passes on."""
    found = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                names = (
                    {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else {"BaseException"}
                )
                passes_on = any(isinstance(n, ast.Raise) for n in ast.walk(node))
                if names & {"Exception", "BaseException"} and not (passes_on and "BaseException" in names):
                    found[str(path.relative_to(PACKAGE))] = found.get(str(path.relative_to(PACKAGE)), 0) + 1
    assert found == {"collect/pages.py": 1, "collect/mail.py": 1, "schedule.py": 1, "cli/__init__.py": 1}
