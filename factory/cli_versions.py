"""The commands on versions: ``factory diff`` and ``factory purge``; arguments and printing only.

Commands import what they need when they run, so that ``--help`` answers at once.
"""

from typing import Any

import click

from factory.cli_options import common, tell

_DIFF_HELP = """Show what became of documents and pairs between two versions, and what it cost.

\b
factory diff                 the latest version and the one it was made from
factory diff v0003           that one and the latest
factory diff v0003 v0007     these two
factory diff --markdown      the body of a pull request
"""
_PURGE_HELP = """Remove a document from the workspace for good.

Rewrites the journal without its replies, publishes a version without it and deletes every version that holds it. DOC
is its path as provenance.jsonl names it. Students and reports that were made of it are named, not deleted. A purge that
was interrupted is finished by the same command, or by the next 'factory generate'.
"""


@click.command(help=_DIFF_HELP)
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@common
def diff(old: str | None, new: str | None, as_markdown: bool, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Replaced by the decorator's help."""
    from factory.diff import run_diff

    if as_markdown and as_json:
        raise click.UsageError("give either --markdown or --json")
    tell(run_diff([name for name in (old, new) if name], flags, as_markdown=as_markdown, as_json=as_json))


@click.command(help=_PURGE_HELP)
@click.argument("document", metavar="DOC")
@common
def purge(document: str, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Replaced by the decorator's help."""
    from factory.purge import run_purge

    tell(run_purge(document, flags, as_json=as_json))
