"""Draw a random sample of a published version for a person to judge, and add up the judgements.

    python benchmarks/sample.py WORKSPACE --n 50 --seed 1 --to benchmarks/results/NAME.jsonl
    python benchmarks/sample.py --judged benchmarks/results/NAME.jsonl

Each line has the pair, its document and lines, and ``right``: true if, read against the page, the answer answers the
question correctly and completely and both make sense without the page; ``note`` says what is wrong.
"""

import argparse
import json
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any


def read_rows(workspace: Path) -> list[dict[str, Any]]:
    """All pairs of the latest version with where they come from."""
    version = workspace / "latest"
    splits = {
        name: (version / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        for name in ("train", "validation", "test")
    }
    rows = []
    for line in (version / "provenance.jsonl").read_text(encoding="utf-8").split("\n"):
        if line:
            entry = json.loads(line)
            if entry["teacher"].startswith("rule/"):  # made without a model
                continue
            chat = json.loads(splits[entry["split"]][entry["row"]])["messages"]
            rows.append(
                {
                    "document": entry["document"],
                    "lines": entry["lines"],
                    "question": chat[-2]["content"],
                    "answer": chat[-1]["content"],
                    "right": None,
                    "note": "",
                }
            )
    return rows


def interval(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / total / 4)
    return middle - reach, middle + reach


def main() -> None:
    """Sample, or add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", nargs="?", type=Path)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--judged", type=Path)
    arguments = parser.parse_args()
    if arguments.judged:
        rows = [json.loads(line) for line in arguments.judged.read_text(encoding="utf-8").splitlines()]
        marks = Counter(row["right"] for row in rows)
        low, high = interval(marks[True], len(rows))
        print(
            f"{marks[True]} of {len(rows)} right: {marks[True] / len(rows):.0%} (95 % interval {low:.0%} to {high:.0%})"
        )
        return
    rows = sorted(read_rows(arguments.workspace), key=lambda row: (row["question"], row["answer"]))
    chosen = random.Random(arguments.seed).sample(rows, min(arguments.n, len(rows)))
    arguments.to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
    print(f"{len(chosen)} of {len(rows)} pairs written to {arguments.to}")


if __name__ == "__main__":
    main()
