"""What makes the student good: variants of training on one dataset, each scored on the same questions.

    python benchmarks/student.py --out WORKSPACE                              the variants below, one after the other
    python benchmarks/student.py --out WORKSPACE --variants default,guide     some of them

The workspace holds a published version (`factory generate --docs … --teacher local/qwen2.5-coder-1.5b --out WORKSPACE`
makes one). Every variant learns from the same replies of the teacher and is asked the same questions; the teacher is
asked each once, for all. Some train fewer wordings of each fact, for as many steps. Prints a Markdown table: the
variant, minutes of training, seen and unseen accuracy, gap closed with its interval, general set and refusals against
the base.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from factory.store import Row, Workspace
from generators.chunk_records import read_chunks


@dataclass(frozen=True, slots=True)
class Variant:
    """Lines of ``factory.toml``, and how many wordings of a fact are trained (0: all that there are)."""

    settings: str = ""
    wordings: int = 0


VARIANTS = {
    "default": Variant(),
    "1 wording a fact, as many steps": Variant(wordings=1),
    "2 wordings a fact, as many steps": Variant(wordings=2),
    "no rehearsal": Variant("[train]\nreplay_share = 0.0\n"),
    "guide": Variant('preset = "guide"\n'),
    "3 epochs": Variant("epochs = 3\n"),
    "rank 16": Variant("[train]\nrank = 16\n"),
    "rate 3e-4": Variant("[train]\nrate = 3e-4\n"),
}
_EPOCHS = 5


def main() -> int:
    """Train and score each variant, and print its row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="workspace with a published version")
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--questions", type=int, default=60)
    given = parser.parse_args()
    titles = ("variant", "minutes", "seen", "unseen", "gap closed", "general", "refusals", "verdict")
    print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
    for name in given.variants.split(","):
        print(_row(name, Path(given.out).resolve(), given.questions), flush=True)
    return 0


def _row(name: str, out: Path, questions: int) -> str:
    variant = VARIANTS[name]
    with tempfile.TemporaryDirectory() as folder:
        text = variant.settings
        if variant.wordings:
            out, rows, fewer = _thinned(out, variant.wordings, Path(folder))
            text += f"epochs = {round(_EPOCHS * rows / fewer)}\n"
        settings = Path(folder) / "factory.toml"
        settings.write_text(text, "utf-8")
        environment = {**os.environ, "FACTORY_CONFIG_FILE": str(settings)}
        trained = _told(["train", "--out", str(out)], environment)
        scored = _told(["score", "--out", str(out), "--questions", str(questions)], environment)
    student = scored["systems"]["student"]
    general, refused = scored["general"], scored["unanswerable"]
    cells = (
        name,
        f"{trained['seconds'] / 60:.1f}",
        *(_share(student[each]) for each in ("seen", "unseen")),
        f"{scored['gap_closed']:.2f} ({scored['gap_closed_ci95'][0]:.2f} to {scored['gap_closed_ci95'][1]:.2f})",
        f"{general['base']['accuracy']:.2f} → {general['student']['accuracy']:.2f}",
        f"{refused['student']['accuracy']:.2f}",
        scored["verdict"],
    )
    return f"| {' | '.join(cells)} |"


def _thinned(out: Path, wordings: int, folder: Path) -> tuple[Path, int, int]:
    """A workspace in the folder that trains so few wordings of a fact: (it, the rows trained there were, and are)."""
    version = Workspace(out).latest()
    assert version is not None
    taken: Counter[str] = Counter()
    kept: list[Row] = []
    for row in version.rows:
        taken[row.pair.fact] += row.place.split == "train"
        if row.place.split != "train" or taken[row.pair.fact] <= wordings:
            kept.append(row)
    thin = Workspace(folder / "out")
    manifest, chunks = version.manifest, read_chunks(version.path)
    thin.publish(kept, version.rejects, manifest, "", manifest["system_prompt"], chunks)
    shutil.copytree(out / "journal", folder / "out" / "journal")
    trained = [sum(row.place.split == "train" for row in rows) for rows in (version.rows, kept)]
    return thin.root, trained[0], trained[1]


def _told(arguments: list[str], environment: dict[str, str]) -> dict:
    """What a command prints with ``--json``."""
    ran = subprocess.run(
        [sys.executable, "-m", "factory", *arguments, "--json", "--quiet"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(ran.stdout.splitlines()[-1])


def _share(found: dict) -> str:
    if not found["n"]:
        return "none"
    low, high = found["ci95"]
    return f"{found['accuracy']:.2f} ({low:.2f} to {high:.2f}) of {found['n']}"


if __name__ == "__main__":
    sys.exit(main())
