"""What makes the student good: variants of training on one dataset, each scored on the same questions.

    python benchmarks/student.py --out WORKSPACE                              the variants below, one after the other
    python benchmarks/student.py --out WORKSPACE --variants default,guide     some of them

The workspace holds a published version (`factory generate --docs … --teacher local/qwen2.5-coder-1.5b --out WORKSPACE`
makes one); the teacher is asked each question once, for all variants. Prints a Markdown table: the variant, minutes
of training, seen and unseen accuracy, gap closed with its interval, general set and refusals against the base.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

VARIANTS = {
    "default": "",
    "no replay": "[train]\nreplay_share = 0.0\n",
    "guide": 'preset = "guide"\n',
    "3 epochs": "epochs = 3\n",
    "rank 16": "[train]\nrank = 16\n",
    "rate 3e-4": "[train]\nrate = 3e-4\n",
}


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
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "factory.toml"
        settings.write_text(VARIANTS[name], "utf-8")
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
