"""After an edit: does the student say what the documents say now, trained anew or gone on with?

    python benchmarks/freshness.py --docs DOCS --out WORKSPACE [--edits 20]

WORKSPACE holds a version of DOCS and a student of it (`factory generate`, `factory train`). In copies of both, so many
statements that were trained are edited, one a section: a number or a name in them becomes another. Then `factory
generate` asks about what is new, and two students learn it: one from the base with all rows (`factory train`), one
that goes on from the first (`factory train --continue`). Prints a Markdown table: minutes, the answers to what was
edited that are new, old and neither (`factory score --freshness`), the first student's beside them, and the seen
questions that each has right.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from factory.store import Row, Workspace
from trainers.evaluate import Paper, ask_student
from trainers.exam import choose, read_exam, sources_of
from trainers.student import latest_student, open_student

_NUMBER = re.compile(r"(?<![\w.`-])\d+(?![\w.`-])")
_NAME = re.compile(r"`([A-Za-z_]{3,})`")


def main() -> None:
    """Edit, refresh, train twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--edits", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        docs, out = Path(name) / Path(given.docs).name, Path(name) / "out"
        shutil.copytree(given.docs, docs)
        shutil.copytree(given.out, out, symlinks=True)
        version = Workspace(out).latest()
        assert version is not None
        edited = sum(1 for _ in edits(version.rows, docs, given.edits))
        told = factory("generate", "--docs", docs, "--out", out, "--teacher", version.manifest["teacher"])
        print(f"{edited} statements edited: {told['requests']} requests, {told['changes']}\n")
        print(f"| student | minutes | new | old | neither | seen |\n{'|---' * 6}|")
        print(row("before the edits", 0.0, out), flush=True)
        first = latest_student(out)
        for how, flags in (("from the base", ()), ("gone on with", ("--continue",))):
            relink(out, first)
            trained = factory("train", "--out", out, *flags)
            print(row(how, trained["seconds"] / 60, out), flush=True)


def edits(rows: list[Row], docs: Path, count: int) -> Iterator[str]:
    """Edit so many statements, one a section, where they stand word for word and once; yield each as it stood."""
    done = set[str]()
    for each in sorted(rows, key=lambda each: each.pair.id):
        file, quotes = docs / each.document, each.pair.quotes
        if len(done) == count or each.place.split != "train" or each.pair.chunk in done or len(quotes) != 1:
            continue
        text, after = file.read_text("utf-8"), changed(quotes[0])
        if after != quotes[0] and text.count(quotes[0]) == 1:
            file.write_text(text.replace(quotes[0], after), "utf-8")
            done.add(each.pair.chunk)
            yield quotes[0]


def changed(statement: str) -> str:
    """The statement with another number in it, or with another name."""
    if _NUMBER.search(statement):
        return _NUMBER.sub(lambda found: str(2 * int(found[0]) + 3), statement, count=1)
    return _NAME.sub(lambda found: f"`{found[1]}_next`", statement, count=1)


def relink(out: Path, student: Path) -> None:
    """Let ``latest`` lead to a student."""
    link = out / "students" / "latest"
    link.unlink()
    link.symlink_to(student.name)


def row(name: str, minutes: float, out: Path) -> str:
    """One line of the table, of the latest student."""
    fresh = factory("score", "--freshness", "--out", out)
    shares = [
        f"{fresh[kind]['share']:.0%} ({fresh[kind]['ci95'][0]:.0%} to {fresh[kind]['ci95'][1]:.0%})"
        for kind in ("new", "old", "neither")
    ]
    latest = Workspace(out).latest()
    assert latest is not None
    exam = read_exam(latest.path)
    questions = [each for each in choose(exam, 60, 0) if each.set == "seen"]
    paper = Paper(questions, sources_of(exam, questions), general=())
    right = [answer.grade.correct for answer in ask_student(open_student(latest_student(out)), "student", paper)]
    cells = (name, f"{minutes:.1f}", *shares, f"{sum(right)} of {len(right)}")
    return f"| {' | '.join(cells)} |"


def factory(*arguments: object) -> dict:
    """What a command prints with ``--json``."""
    ran = subprocess.run(
        [sys.executable, "-m", "factory", *map(str, arguments), "--json"], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
