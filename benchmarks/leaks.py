"""Whether two splits of a published version hold nearly the same question: all rows against all, in plain Python.

    python benchmarks/leaks.py VERSION [VERSION …]        exit 1 if one leaks

Written from the definition alone, and without a line of the code that it checks: a leak is a Jaccard similarity of at
least 0.8 of the character 5-grams of the lower-cased questions of two rows in different splits.
"""

import argparse
import json
import sys
from itertools import combinations, product
from pathlib import Path

SPLITS = ("train", "validation", "test")
ALIKE = 0.8


def questions(version: Path, split: str) -> list[str]:
    """The last question of each row of a split."""
    lines = (version / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
    chats = [json.loads(line)["messages"] for line in lines if line]
    return [[turn["content"] for turn in chat if turn["role"] == "user"][-1] for chat in chats]


def grams(text: str) -> set[str]:
    """All five characters in a row; of a shorter text the text itself."""
    low = text.lower()
    return {low[start : start + 5] for start in range(len(low) - 4)} or {low}


def similarity(one: set[str], other: set[str]) -> float:
    """What two sets share, of all they hold."""
    return len(one & other) / len(one | other)


def check(version: Path) -> int:
    """Print the leaks of a version and how alike the closest rows are; return how many there are."""
    rows = {split: [(text, grams(text)) for text in questions(version, split)] for split in SPLITS}
    closest, leaks, compared = 0.0, 0, 0
    for here, there in combinations(SPLITS, 2):
        for (one, left), (other, right) in product(rows[here], rows[there]):
            compared += 1
            alike = similarity(left, right)
            closest = max(closest, alike)
            if alike >= ALIKE:
                leaks += 1
                print(f"{version}: {alike:.3f}\n  {here}: {one}\n  {there}: {other}")
    counts = ", ".join(f"{split} {len(rows[split])}" for split in SPLITS)
    print(f"{version}: {counts}; {compared:,} pairs of rows compared, {leaks} leaks, the closest at {closest:.3f}")
    return leaks


def main() -> None:
    """Check every version that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="+", type=Path, metavar="VERSION")
    sys.exit(1 if sum([check(version) for version in parser.parse_args().versions]) else 0)


if __name__ == "__main__":
    main()
