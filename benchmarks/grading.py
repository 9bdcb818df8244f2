"""How often the rules take a wrong answer for right: every answer of a sample against every other question of it.

    python benchmarks/grading.py benchmarks/results/*.jsonl

Prints, a file: its rows, references graded right (all should be), and other rows' answers graded right (few should be;
some say the same). The rows need "question" and "answer".
"""

import json
import sys
from pathlib import Path

from trainers.grading import Key, grade


def main() -> None:
    """Grade every pair of rows."""
    for name in (each for each in sys.argv[1:] if each != "--show"):
        rows = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
        rows = [row for row in rows if "question" in row and "answer" in row]
        keys = [Key(row["question"], row["answer"], (row["answer"],)) for row in rows]
        own = sum(grade(key, row["answer"]).correct for key, row in zip(keys, rows, strict=True))
        others = [
            (key, row["answer"]) for key in keys for row in rows if row["answer"].strip() != key.reference.strip()
        ]
        taken = [(key, answer) for key, answer in others if grade(key, answer).correct]
        print(f"{name}: {own} of {len(rows)} references right; {len(taken)} of {len(others)} other answers")
        for key, answer in taken if "--show" in sys.argv else ():
            print(f"  Q: {key.question}\n  reference: {key.reference}\n  answer: {answer}\n")


if __name__ == "__main__":
    main()
