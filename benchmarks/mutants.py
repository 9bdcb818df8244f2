"""The mutation score: the share of changes to the code that keeps paid replies which the quick tests notice.

    mutmut run ['*7']; python benchmarks/mutants.py [--least 0.85]

Reads what mutmut left in ``mutants/``; a name's last digit makes a fixed sample of a tenth. What and by which tests is
set in ``pyproject.toml``. Exit 1 below the least score.
"""

import argparse
import json
import sys
from pathlib import Path

# A test that failed, and one that ran into its time limit.
NOTICED = (1, 3, 24, 36, -24, 152, 255)


def main() -> None:
    """Count, list the survivors, print a line a module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--least", type=float, default=0.85)
    least = parser.parse_args().least
    noticed = tried = 0
    for path in sorted(Path("mutants").rglob("*.meta")):
        codes = {
            name: code for name, code in json.loads(path.read_text())["exit_code_by_key"].items() if code is not None
        }
        killed = sum(code in NOTICED for code in codes.values())
        noticed, tried = noticed + killed, tried + len(codes)
        print(f"{path.relative_to('mutants').with_suffix('')}: {killed} of {len(codes)}")
        for name, code in codes.items():
            if code not in NOTICED:
                print(f"    survived: {name}")
    score = noticed / tried if tried else 0.0
    print(f"{noticed} of {tried} mutants noticed: {score:.1%}")
    sys.exit(score < least)


if __name__ == "__main__":
    main()
