"""The command line: arguments, exit codes, printing. ``factory --help``.

Data and summaries go to stdout, progress and chatter to stderr. Commands import what they need when they run, so that
``--help`` answers at once.
"""

import os
import signal
from typing import Any, NoReturn

import click

from factory import __version__, signals
from factory.cli_options import Count, common, finish, flush, tell
from factory.cli_student import ask, report, run_, score, train
from factory.cli_versions import diff, purge
from generators.errors import DISK_FAULTS, ExitCode, FactoryError

_GENERATE_HELP = """Read the documents, ask the teacher, publish a dataset version.

Reads Markdown, MDX, reStructuredText, HTML, text, Jupyter notebooks, OpenAPI/Swagger (YAML, JSON), PDF, DOCX, and .gz
of any of these.
"""
_FILTER_HELP = """Prune again: the pairs of the workspace, or any chat JSONL.

\b
factory filter                         judge the workspace's pairs again, without a request; publishes
                                       a version if anything changes
factory filter rows.jsonl --to pruned  write pruned/rows.jsonl and pruned/rejected.jsonl

FILE holds a row a line: OpenAI messages, ShareGPT conversations, Alpaca instructions, prompt/completion or
question/answer; .gz too. Lines that are kept stay as they are, byte for byte; of two twins the earlier stays.
Thresholds stand in factory.toml under [filters].
"""
_HELP = """Turn a folder of internal documents into a small model that answers questions about them.

Start with: factory generate --docs ./api_docs. It publishes question-answer pairs as a dataset; run the same line
again when the documents have changed, and it asks only about the change.
"""


class _Untouched(Exception):  # noqa: N818 - a wrapper, no error
    """What click would answer in its own way: an interruption, a pipe that nobody reads."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause


class _Group(click.Group):
    """Lists its commands in the order of use, and keeps from click what ``main`` answers."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as cause:
            raise _Untouched(cause) from cause

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names as they were added, not sorted."""
        return list(self.commands)


@click.group(cls=_Group, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="factory")
def cli() -> None:
    """Run a command of the group; the help stands in the decorator."""


@cli.command(help=_GENERATE_HELP)
@click.option("--docs", multiple=True, metavar="PATH", help="Folder or file to read; may be repeated.")
@common
@click.option(
    "--teacher",
    default=None,
    metavar="SPEC",
    help="openai/MODEL, anthropic/MODEL, litellm/ANYTHING, local/NAME or local:/path/to.gguf.  "
    "[default: local/qwen2.5-coder-0.5b, on this machine]",
)
@click.option(
    "--template",
    default=None,
    metavar="NAME|PATH",
    help="The prompt (see 'factory prompts').  [default: facts, or facts-light for local teachers]",
)
@click.option(
    "--pairs",
    type=Count(),
    default=None,
    help="Accept so many pairs; auto: as many as the documents give.  [default: auto]",
)
@click.option(
    "--product",
    default=None,
    metavar="NAME",
    help="What the documents are about, told to the teacher and named in the system prompt.",
)
@click.option("--include", multiple=True, metavar="GLOB", help="Read only matching files; may be repeated.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Do not read matching files; may be repeated.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    default=None,
    metavar="USD",
    help="Stop at this cost, and publish what there is.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=0),
    default=None,
    metavar="N",
    help="Stop at so many tokens, prompts and replies together, and publish what there is.",
)
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=None, metavar="N", help="Requests in flight at most."
)
@click.option(
    "--gold",
    default=None,
    metavar="FILE",
    help="Your own pairs, a JSON object a line.  [default: gold.jsonl in the workspace, if there]",
)
@click.option(
    "--check",
    default=None,
    metavar="SPEC|teacher",
    help="Have each pair looked at by a model before it is accepted: does its section support it?  [default: not]",
)
@click.option("--seed", type=int, default=None, metavar="N", help="Of sampling and splits.  [default: 0]")
@click.option(
    "--preview",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Ask about N chunks, show the pairs, publish nothing.",
)
@click.option("--dry-run", is_flag=True, help="Print requests, tokens and cost (low / expected / high) without a call.")
@click.option("--yes-retire-all", "retire_all", is_flag=True, help="Go on though all documents, or most, are gone.")
@click.option("--quiet", is_flag=True, help="No progress on stderr, and one line on stdout.")
def generate(preview: int | None, dry_run: bool, retire_all: bool, **rest: Any) -> None:  # noqa: ANN401
    """Replaced by the decorator's help."""
    from factory.start import start_generate

    quiet, as_json = rest.pop("quiet"), rest.pop("as_json")
    finish(start_generate(rest, preview=preview, dry_run=dry_run, retire_all=retire_all, quiet=quiet, as_json=as_json))


@cli.command("filter", help=_FILTER_HELP)
@click.argument("file", required=False)
@common
@click.option("--to", default=None, metavar="DIR", help="Where the kept and the rejected rows of FILE go.")
@click.option("--only", multiple=True, metavar="NAME,…", help="Run only these filters.")
@click.option("--skip", multiple=True, metavar="NAME,…", help="Leave these filters out.")
def filter_(file: str | None, to: str | None, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Replaced by the decorator's help."""
    from factory.filtering import run_filter

    tell(run_filter(file, to, flags, as_json=as_json))


for _command in (train, score, ask, report, run_):
    cli.add_command(_command)


@cli.command()
@common
def status(as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Show the workspace: versions, the journal's spend by teacher, and where each setting comes from."""
    from factory.run import run_status

    finish(run_status(flags, as_json=as_json))


@cli.command()
@common
def verify(as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Check every byte of the published versions and of the journal, and that no version leaks its test."""
    from factory.verify import run_verify

    tell(run_verify(flags, as_json=as_json))


for _command in (diff, purge):
    cli.add_command(_command)


@cli.group()
def prompts() -> None:
    """Show the prompts, or copy one to edit it."""


@prompts.command("show")
@click.argument("name", required=False)
def prompts_show(name: str | None) -> None:
    """List the prompts, or print one."""
    from generators.templates import builtin_templates, template_path

    if name is None:
        for each in builtin_templates():
            click.echo(each)
        return
    click.echo(template_path(name).read_text(encoding="utf-8"), nl=False)


@prompts.command("copy")
@click.argument("name")
@click.argument("target", required=False)
def prompts_copy(name: str, target: str | None) -> None:
    """Copy a prompt to a file; use it with: factory generate --template FILE."""
    from factory.run import copy_prompt

    click.echo(copy_prompt(name, target))


@cli.group()
def models() -> None:
    """List, fetch and add model weights."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def models_list(as_json: bool) -> None:
    """List the models that can be named as local/NAME, and the one for comparing pairs by meaning."""
    from factory.weights import show_models

    click.echo(show_models(as_json=as_json))


@models.command("pull")
@click.argument("name")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def models_pull(name: str, quiet: bool) -> None:
    """Fetch a model into the cache and check it; prints its path."""
    from factory.weights import pull_model

    click.echo(pull_model(name, quiet=quiet))


@models.command("add")
@click.argument("name")
@click.option("--file", default=None, metavar="PATH", help="A .gguf file on this machine.")
@click.option("--url", default=None, metavar="URL", help="Where to fetch it.")
@click.option("--sha256", default=None, metavar="HEX", help="Of the file; needed with --url.")
@click.option("--licence", default="", help="Its licence, for the record.")
def models_add(name: str, file: str | None, url: str | None, sha256: str | None, licence: str) -> None:
    """Add a model of your own to the table."""
    from factory.weights import add

    click.echo(add(name, file=file, url=url, sha256=sha256, licence=licence))


def main() -> NoReturn:
    """Run the command line; every foreseeable fault is one line on stderr and its exit code."""
    signals.listen()
    code = _run()
    signals.settle(code)
    raise SystemExit(code)


def _run() -> int:
    try:
        code = cli.main(standalone_mode=False, prog_name="factory")
        flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "factory"
        _say(f"{error.format_message().rstrip('.')}; see '{where} --help'")
        return error.exit_code
    except FactoryError as error:
        _say(str(error))
        return error.exit_code
    except (_Untouched, click.exceptions.Abort, BrokenPipeError) as error:
        return _answered(error.cause if isinstance(error, _Untouched) else error)
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            raise
        _discard_output()
        _say(f"the disk fails ({error.strerror}); what is published is whole, mend it or free some space and run again")
        return ExitCode.STOPPED
    return int(code or 0)


def _answered(cause: BaseException) -> int:
    """Of an interruption one line; of a reader that has gone (factory … | head) none: it is not our fault."""
    if isinstance(cause, BrokenPipeError):
        _discard_output()
        _discard_output(2)
        return ExitCode.DONE
    number = cause.number if isinstance(cause, signals.SignalledError) else signal.SIGINT
    told = "" if isinstance(cause, signals.SignalledError) else str(cause)
    _say(told or signals.farewell(number))
    return signals.exit_code(number)


def _discard_output(descriptor: int = 1) -> None:
    """Let the interpreter's last flush find somebody who listens."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def _say(line: str) -> None:
    from factory.visible import visible

    try:
        click.echo(f"factory: {visible(' '.join(line.split()))}", err=True)
    except BrokenPipeError:
        _discard_output(2)
