"""The commands about the student: score it, read its report, do everything in one go.

Imported with the command line, so nothing heavy stands at the top.
"""

from typing import Any

import click

from factory.cli_options import Count, common, tell


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
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def score(
    gate: bool,
    sample: int | None,
    labels: str | None,
    quiet: bool,
    as_json: bool,
    **flags: Any,  # noqa: ANN401
) -> None:
    """Score the student against its teacher and its base: ship or hold, with intervals and reasons."""
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
def report(as_json: bool, **flags: Any) -> None:  # noqa: ANN401
    """Print the newest report."""
    from factory.report import run_report

    tell(run_report(flags, as_json=as_json))
