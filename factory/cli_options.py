"""What the commands share: options, and how they print and leave.

Said(text, notes, code) ─▶ stdout, stderr, exit code
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from factory.filtering import Said


class Count(click.ParamType):  # type: ignore[type-arg] # generic in some releases only
    """A number of pairs, or ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        """``auto`` is 0."""
        if value == "auto":
            return 0
        try:
            number = int(value)
        except ValueError:
            number = 0
        if number < 1:
            self.fail(f"'{value}' is neither 'auto' nor a number from 1 on", param, ctx)
        return number


def common(function: Callable[..., None]) -> Callable[..., None]:
    """The options that every command on a workspace takes."""
    function = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, last.")(function)
    return click.option("--out", default=None, metavar="DIR", help="The workspace.  [default: factory-data]")(function)


def tell(said: "Said") -> None:
    """Print what a command has to say, and leave with its code."""
    for note in said.notes:
        click.echo(note, err=True)
    if said.text:
        click.echo(said.text)
    finish(said.code)


def finish(code: int) -> None:
    """Leave with a code other than 0, or return."""
    if code:
        flush()
        raise click.exceptions.Exit(code)


def flush() -> None:
    """Let the output leave while its faults can still be told."""
    sys.stdout.flush()
