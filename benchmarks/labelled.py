"""How good the filters are on pairs that a person has labelled: precision of what they keep, recall of what is good.

    python benchmarks/labelled.py [FILE.jsonl …]         judge the stored pairs with the filters as they are
    python benchmarks/labelled.py --draw WORKSPACE --docs DOCS [--draw … --docs …] --n 100 --seed 1 --to FILE.jsonl

A drawn line holds a pair, its whole section, what the filters said of it then (``was``), and ``weight``: how many pairs
of its stratum (kept, dropped) it stands for, so that shares of all pairs can be told from a sample of both. ``good`` is
for a person to fill in: read against the section, the question makes sense alone, the answer is right and supported,
and complete enough to help; ``note`` says what is wrong. What ``--not-in`` names is not drawn again. Where rules were
changed for what one draw showed, the next one tells what they are worth.
"""

import argparse
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sample import interval

from factory.corpus import read_corpus
from factory.inputs import funnel_config
from factory.store import Workspace
from filters.apply import Candidate, FilterConfig, first_drop, make_filters
from generators.privacy import PrivacyConfig
from generators.records import Chunk, Pair

LABELLED = Path(__file__).parent / "results" / "labelled.jsonl"
# Twins are no question of quality: both may be good.
TWINS = ("exact_duplicate", "differing_answer", "near_duplicate")


def drawn_from(workspace: Path, docs: Path) -> Iterable[dict[str, Any]]:
    """Every pair that a teacher wrote, with its section and what became of it."""
    version = Workspace(workspace).latest()
    if version is None:
        raise SystemExit(f"nothing is published in {workspace}")
    chunks = read_corpus((str(docs),), (), (), PrivacyConfig(), lambda _: None).chunks
    found = [(row.pair, "kept") for row in version.rows if not row.pair.teacher.startswith("rule/")]
    found += [(each.pair, each.reason) for each in version.rejects if each.pair and each.stage == "filter"]
    for pair, was in found:
        if was not in TWINS and pair.chunk in chunks:
            chunk = chunks[pair.chunk]
            section = {name: getattr(chunk, name) for name in ("document", "lines", "heading", "kind", "text")}
            about = {"was": was, "corpus": docs.name, "product": version.manifest["filters"]["known_names"][-1]}
            yield {"good": None, "note": "", **about, "pair": asdict(pair), "chunk": section}


def draw(rows: Sequence[dict[str, Any]], count: int, seed: int) -> list[dict[str, Any]]:
    """As many of the kept as of the dropped, each with the number of pairs that it stands for."""
    strata: dict[bool, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["pair"]["id"]):
        strata[row["was"] == "kept"].append(row)
    chosen = []
    for stratum in (strata[True], strata[False]):
        part = random.Random(seed).sample(stratum, min(count, len(stratum)))
        chosen += [{**row, "weight": round(len(stratum) / len(part), 4)} for row in part]
    return chosen


def candidate_of(row: dict[str, Any]) -> Candidate:
    """A stored pair with its section."""
    section = row["chunk"]
    first, _, last = section["lines"].partition("-")
    pair = Pair(**{**row["pair"], "quotes": tuple(row["pair"]["quotes"])})
    place = (section["document"], tuple(section["heading"]), section["text"], int(first), int(last), 0)
    return Candidate(pair, Chunk(pair.chunk, *place, section["kind"]))


def verdict(row: dict[str, Any]) -> str:
    """What the filters say of a stored pair now: ``kept`` or a reason."""
    config = funnel_config(FilterConfig(skip=TWINS), row["product"], bound=True)
    reject = first_drop(candidate_of(row), make_filters(config))
    return reject.reason if reject else "kept"


def share(part: Sequence[dict[str, Any]], whole: Sequence[dict[str, Any]]) -> str:
    """The weighted share of a part with its 95 % interval: Wilson's, of as many pairs as the weights are worth."""
    of, held = sum(row["weight"] for row in whole), sum(row["weight"] for row in part)
    worth = of**2 / sum(row["weight"] ** 2 for row in whole)
    low, high = interval(held / of * worth, worth)
    return f"{held / of:6.1%}  ({low:.0%} to {high:.0%}; {len(part)} of {len(whole)} pairs)"


def print_scores(rows: Sequence[dict[str, Any]]) -> None:
    """Precision, recall, and the confusion by reason."""
    said = {row["pair"]["id"]: verdict(row) for row in rows}
    kept = [row for row in rows if said[row["pair"]["id"]] == "kept"]
    good = [row for row in rows if row["good"]]
    both = [row for row in kept if row["good"]]
    print(f"precision of what is kept  {share(both, kept)}\nrecall of what is good     {share(both, good)}\n")
    table: dict[str, Counter[bool]] = defaultdict(Counter)
    for row in rows:
        table[said[row["pair"]["id"]]][row["good"]] += 1
    print(f"{'the filters say':20} {'good':>6} {'bad':>6}")
    for reason, counts in sorted(table.items(), key=lambda each: (each[0] != "kept", -each[1].total())):
        print(f"{reason:20} {counts[True]:6} {counts[False]:6}")


def main() -> None:
    """Draw, or judge and add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[LABELLED])
    parser.add_argument("--draw", type=Path, action="append", default=[], metavar="WORKSPACE")
    parser.add_argument("--docs", type=Path, action="append", default=[])
    parser.add_argument("--n", type=int, default=100, help="so many of the kept, and as many of the dropped")
    parser.add_argument("--number", type=int, default=1, help="of the draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", type=Path)
    parser.add_argument("--not-in", type=Path, action="append", default=[])
    parser.add_argument("--wrong", action="store_true", help="show the pairs that the filters judge wrong")
    options = parser.parse_args()
    if options.draw:
        known = {row["pair"]["id"] for file in options.not_in for row in read(file)}
        rows = [row for pair in zip(options.draw, options.docs, strict=True) for row in drawn_from(*pair)]
        fresh = [row for row in rows if row["pair"]["id"] not in known]
        chosen = [{**row, "draw": options.number} for row in draw(fresh, options.n, options.seed)]
        options.to.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen), encoding="utf-8")
        print(f"{len(chosen)} of {len(rows)} pairs written to {options.to}")
        return
    rows = [row for file in options.files for row in read(file)]
    for number in sorted({row["draw"] for row in rows}):
        print(f"\ndraw {number}")
        print_scores([row for row in rows if row["draw"] == number])
    for row in rows if options.wrong else ():
        if (said := verdict(row)) != ("kept" if row["good"] else said) or (said == "kept" and not row["good"]):
            print(f"\n{said}: {row['note']}\n  Q: {row['pair']['question']}\n  A: {row['pair']['answer']}")


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of a drawn file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


if __name__ == "__main__":
    main()
