"""The commands about the student: train it, ask it, score it, read its report, do everything in one go.

Imported with the command line, so nothing heavy stands at the top.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from factory.cli_options import Count, common, tell


@click.command()
@common
@click.option(
    "--student",
    default=None,
    metavar="MODEL",
    help="A name of 'factory models list', a folder, a .gguf file or a Hub id.  [default: a 7B where a GPU has room, "
    "else smollm2-135m]",
)
@click.option("--quantize", type=click.Choice(("none", "8bit", "4bit")), default=None, help="Hold the base so.")
@click.option("--method", type=click.Choice(("sft",)), default=None, help="How to train.  [default: sft]")
@click.option(
    "--preset",
    type=click.Choice(("default", "guide")),
    default=None,
    help="guide: the textbook settings, q and v only.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=None, metavar="N", help="Passes over the rows at most.")
@click.option(
    "--context",
    type=click.Choice(("none", "chunk")),
    default=None,
    help="none: learn to know; chunk: learn to read, with the section before each question.",
)
@click.option("--report-to", default=None, metavar="NAME,…", help="wandb, mlflow, tensorboard, if installed.")
@click.option("--seed", type=int, default=None, metavar="N", help="Of the adapter and the order of rows.  [default: 0]")
@click.option(
    "--continue",
    "onward",
    is_flag=True,
    help="Go on from the latest student with what is new since its version, instead of from the base.",
)
@click.option("--again", is_flag=True, help="Train even if the same was trained before.")
@click.option("--show-row", type=int, default=None, metavar="N", help="Show what of row N is trained, and stop.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def train(
    show_row: int | None,
    again: bool,
    onward: bool,
    quiet: bool,
    as_json: bool,
    **flags: Any,  # noqa: ANN401
) -> None:
    """Fine-tune a student on the latest dataset, with LoRA."""
    from factory.training import run_train

    tell(run_train(flags, show_row=show_row, again=again, onward=onward, quiet=quiet, as_json=as_json))


@click.command()
@click.argument("question", required=False)
@common
@click.option("--system", default=None, metavar="TEXT", help="System message.  [default: that of its training]")
def ask(question: str | None, system: str | None, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Ask the latest student; without a question, on a terminal, until you leave."""
    from factory.ask import answers
    from factory.visible import visible

    if question is None and not sys.stdin.isatty():
        raise click.UsageError('give a question: factory ask "How do I rotate a key?"')
    for asked, answer, student in answers(flags, system, _questions(question)):
        told = json.dumps({"question": asked, "answer": answer, "student": student}) if as_json else visible(answer)
        click.echo(told)


def _questions(question: str | None) -> Iterator[str]:
    """The one that is given, or those that a person types, until an empty line or the end of the input."""
    if question is not None:
        yield question
        return
    while typed := click.prompt("?", prompt_suffix=" ", default="", show_default=False, err=True).strip():
        yield typed


@click.command()
@common
@click.option(
    "--against", default=None, metavar="TEACHER", help="SPEC to score against.  [default: the dataset's teacher]"
)
@click.option("--judge", default=None, metavar="SPEC", help="A model that grades too; named beside its figures.")
@click.option("--votes", type=click.IntRange(min=1), default=None, metavar="N", help="Of the judge on each answer.")
@click.option("--labels", default=None, metavar="FILE", help="Answers that a person graded, to check the graders by.")
@click.option(
    "--questions",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Asked of each system at most.  [default: 60 on a CPU, 400 on a GPU]",
)
@click.option(
    "--sample", type=click.IntRange(min=1), default=None, metavar="N", help="Show N questions, answers side by side."
)
@click.option("--max-cost", type=click.FloatRange(min=0), default=None, metavar="USD", help="Stop at this cost.")
@click.option("--seed", type=int, default=None, metavar="N", help="Of the questions and resamples.  [default: 0]")
@click.option("--gate", is_flag=True, help="Exit 7 if the verdict is hold.")
@click.option(
    "--freshness", is_flag=True, help="Instead: ask what edits of the documents have changed; new, old or neither?"
)
@click.option(
    "--since", default=None, metavar="VERSION", help="With --freshness: count the edits from this version on."
)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def score(
    gate: bool,
    freshness: bool,
    since: str | None,
    sample: int | None,
    labels: str | None,
    quiet: bool,
    as_json: bool,
    **flags: Any,  # noqa: ANN401
) -> None:
    """Score the student against its teacher and its base: ship or hold, with intervals and reasons."""
    if freshness:
        from factory.freshen import run_freshness

        tell(run_freshness(flags, since=since or "", quiet=quiet, as_json=as_json))
        return
    from factory.scoring import run_score

    tell(run_score(flags, gate=gate, sample=sample or 0, labels=labels, quiet=quiet, as_json=as_json))


@click.command("run")
@click.option("--docs", multiple=True, metavar="PATH", help="Folder or file to read; may be repeated.")
@common
@click.option("--teacher", default=None, metavar="SPEC", help="As of generate.")
@click.option("--student", default=None, metavar="MODEL", help="As of train.")
@click.option("--pairs", type=Count(), default=None, help="As of generate.")
@click.option("--product", default=None, metavar="NAME", help="As of generate.")
@click.option(
    "--max-cost", type=click.FloatRange(min=0), default=None, metavar="USD", help="Cap of each stage that pays."
)
@click.option("--judge", default=None, metavar="SPEC", help="As of score.")
@click.option("--questions", type=click.IntRange(min=1), default=None, metavar="N", help="As of score.")
@click.option("--seed", type=int, default=None, metavar="N", help="Of everything that is drawn.  [default: 0]")
@click.option("--gate", is_flag=True, help="Exit 7 if the verdict is hold.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def run_(gate: bool, quiet: bool, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Generate, train, score and report in one go; all other settings stand in factory.toml."""
    from factory.whole_run import run_all

    tell(run_all(flags, gate=gate, quiet=quiet, as_json=as_json))


@click.command()
@common
@click.option(
    "--coverage", is_flag=True, help="Only what each page gave, accepted and rejected, and why some gave none."
)
def report(coverage: bool, as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Print the newest score, and which pages the dataset covers least."""
    from factory.report import run_report

    tell(run_report(flags, only_coverage=coverage, as_json=as_json))
