"""The command line. Each command is imported only when it is called, so that `--help` is quick."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import MappingProxyType

import click

from monitor import __version__

COMMANDS = MappingProxyType(
    {
        "run": ("monitor.cli.run:run", "Take readings on schedule and serve the pages (the main job)."),
        "demo": ("monitor.cli.demo:demo", "Make 18 months of invented history and show it; nobody is asked anything."),
        "check": ("monitor.cli.check:check", "Take a reading now, whether due or not."),
        "try": ("monitor.cli.try_:try_", "Look at a page once: what is found on it, and which number is read."),
        "status": ("monitor.cli.status:status", "Say how each source is doing and when it is asked next."),
        "doctor": ("monitor.cli.doctor:doctor", "Look whether all is well, and say what to do; nothing is stored."),
        "add": ("monitor.cli.typed:add", "Add by hand a count, a contact or an event."),
        "undo": ("monitor.cli.typed:undo", "Take back the last thing typed with add."),
        "page-one": ("monitor.cli.page_one:page_one", "Print who stands on page one, with numbers to label by."),
        "why": ("monitor.cli.page_one:why", "Say why a rank moved, or that it cannot be told."),
        "worth": ("monitor.cli.worth:worth", "Say what your profiles have brought, by where contacts came from."),
        "correct": ("monitor.cli.worth:correct", "Say what a contact really was; remembered for its sender."),
        "exposure": ("monitor.cli.exposure:exposure", "Say on which pages your own numbers and addresses stand."),
        "label": ("monitor.cli.label:label", "Say whose pages are; the whole past follows at once."),
        "import": ("monitor.cli.imports:import_", "Take in results pages saved from the browser."),
        "reread": ("monitor.cli.kept:reread", "Read the kept pages again with today's parsers."),
        "prune": ("monitor.cli.kept:prune", "Let old kept pages go; numbers stay."),
        "backup": ("monitor.cli.backup:backup", "Copy the history and its kept pages, while a monitor may run."),
        "restore": ("monitor.cli.backup:restore", "Put a backup in the place of the history, which is moved aside."),
        "export": ("monitor.cli.export:export", "Write a small database that may be shown to others."),
    }
)


class LazyGroup(click.Group):
    """A group whose commands are imported when called (click documentation, "Lazily Loading Subcommands")."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, said) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.toml"),
    envvar="MONITOR_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The config file.",
)
@click.version_option(__version__, prog_name="monitor")
@click.pass_context
def cli(ctx: click.Context, config_path: Path) -> None:
    """Watch how you are found online, with evidence: search rank, page views, profile numbers, contacts.

    \b
    Example: monitor run
             monitor status
    """  # noqa: D301 - \b is click's mark for a block that is not rewrapped
    ctx.obj = config_path


def main() -> None:
    """Run a command; what the owner can mend is said in one sentence, with an exit code of its own."""
    try:
        code = cli.main(standalone_mode=False, prog_name="monitor")
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if code is None:
            raise
        click.echo(str(error), err=True)
    sys.exit(code or 0)
