"""Near-duplicates among short question-answer rows: speed and verdicts of ours, datasketch and rensa, side by side.

    python benchmarks/dedup.py [--rows 50000] [--seed 0] [--tools ours,datasketch,rensa] [--repeat 3]

Makes a JSONL of chat rows about an invented API: originals; twins of them, with one to three ordinary words changed;
variants, whose question differs from an original's in one identifier or number (and the answer with it); a long tail of
long rows. Shuffled, each twin and variant after its original. Each tool reads the file, drops and writes, in a process
of its own whose start counts; ours is the command ``factory filter``. All work on word 3-grams at Jaccard 0.7. Prints
for each tool the best of the repeats: rows a second, twins dropped, originals dropped, variants dropped.

rensa is left out where it is not installed.
"""

import argparse
import importlib.util
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
THRESHOLD = 0.7
SHARES = {"twin": 0.2, "variant": 0.2}


def _listed(words: str) -> list[str]:
    return words.split()


ORDINARY = _listed(
    "account address agent amount answer archive area batch board body branch budget buffer build bundle cache "
    "call card carrier case channel charge check client cluster code column command company contact content "
    "copy country course credit customer day deal delay device digest domain draft driver edge edition engine "
    "entry event export factor feed field file filter flow folder form frame group guard guest guide header "
    "history host hour image index input invoice issue item job journal kernel key label layer leader lease "
    "letter level limit line link list loader location lock log machine mail manager map market master member "
    "memory message method minute mirror model module month name network node note notice number object offer "
    "office order origin output owner package page panel parcel parent part partner path pattern payment "
    "period person phase picture plan platform point policy pool port position price print process product "
    "profile program project proof queue quota range rate reader reason receipt record region release report "
    "request reserve resource result retry return review role root route rule sample schedule scope score "
    "screen script season section sender sensor server service session shape share shift signal site size slot "
    "source space stage state status step stock stop store stream subject summary supply support survey switch "
    "system table target task team tenant term test theme thread ticket time title token tool topic track "
    "trade transfer tree trial trigger type unit update user value vendor version view visit volume voucher "
    "wallet warning week window worker workspace zone"
)
ADJECTIVES = _listed(
    "active busy clean common complete current daily direct early empty exact external fast final first free "
    "fresh full general global hidden idle initial inner internal large late light linked local long main "
    "manual minor missing modern monthly narrow native nested new next old open outer paid partial pending "
    "plain present previous primary private public quick quiet rapid rare raw ready recent regular remote safe "
    "secure separate shared short signed silent simple single slow small special spare stable standard steady "
    "strict strong sudden third total trusted unique unused upper urgent usual valid visible weak weekly whole "
    "wide wrong young"
)
VERBS = _listed(
    "accepts adds answers applies archives assigns attaches blocks books builds cancels carries changes "
    "charges checks clears closes collects compares confirms copies counts covers creates cuts delays deletes "
    "delivers displays drops ends enters expands expires exports extends fetches fills finds finishes follows "
    "forwards gathers grants groups handles holds ignores imports includes issues joins keeps leaves limits "
    "links lists loads locks logs marks matches measures merges moves needs notifies offers opens orders "
    "passes pauses picks places posts prints processes protects publishes pulls pushes reads receives records "
    "reduces refuses releases removes renames repeats replaces reports requires resets resolves restores "
    "returns reviews routes saves scans sells sends serves sets shares shifts shows signs skips sorts splits "
    "starts stops stores takes tests tracks trims updates uses verifies visits waits warns writes"
)
QUESTIONS = (
    "How does {name} handle {a} {n} when the {n2} {v} it?",
    "What happens to {a} {n} if {name} {v} the {n2}?",
    "When should I use {name} for the {a} {n} of a {n2}?",
    "Which {n} does {name} return after the {a} {n2} {v} something?",
    "Why does a call with {name} fail for {a} {n} in the {n2}?",
    "How many {n} can {name} keep before the {a} {n2} {v} them?",
    "Can a {a} {n} be moved while {name} {v} its {n2}?",
    "What is the {a} {n} of {name} good for in a {n2}?",
)
CLAUSES = (
    "The {a} {n} {v} every {n2} that the {n3} {v2}",
    "Before a {n} {v}, the {a} {n2} {v2} its {n3}",
    "As long as the {n} is {a}, its {n2} {v} the {n3}",
    "A {a} {n} {v} at once, and the {n2} of the {n3} {v2} later",
    "If the {n} {v} twice, each {a} {n2} {v2} its own {n3}",
    "No {n} {v} without a {a} {n2} beside the {n3}",
    "Each {n} {v} one {a} {n2}, so that the {n3} never {v2}",
)
# A path, a parameter, a header, a flag, a status, a constant, a function: a variant has another ``two`` or ``number``.
_FORMS = (
    "`GET /v1/{one}s/{{{two}_id}}`",
    "`POST /{one}s/{two}s`",
    "`{one}_{two}`",
    "`{two}`",
    "the header `X-{One}-{Two}`",
    "--{one}-{two}",
    "status {number}",
    "{ONE}_{number}",
    "`client.{one}.{two}()`",
    "{one}{Two}",
    "a limit of {number}",
)
BOILERPLATE = (
    "The call counts against the rate limit of your account and answers with an error when the limit is exceeded.",
    "All times are in UTC and all amounts are in the smallest unit of the currency of the account.",
)


def corpus(rows: int, seed: int) -> list[dict[str, Any]]:
    """Labelled rows: ``label`` is original, twin or variant; ``of`` names the original."""
    chance = random.Random(seed)
    twins, variants = (int(rows * SHARES[label]) for label in ("twin", "variant"))
    originals = [_original(chance, number) for number in range(rows - twins - variants)]
    made = [_twin(chance, chance.choice(originals)) for _ in range(twins)]
    # A variant that came up before would be a twin of that one.
    distinct: dict[str, dict[str, Any]] = {}
    while len(distinct) < variants:
        variant = _variant(chance, chance.choice(originals))
        distinct.setdefault(f"{variant['of']} {variant['q']}", variant)
    made += distinct.values()
    places = [(chance.random(), row) for row in originals]
    at = {row["id"]: place for place, row in places}
    places += [(chance.uniform(at[row["of"]], 1), row) for row in made]
    return [row for _, row in sorted(places, key=lambda entry: entry[0])]


def _original(chance: random.Random, number: int) -> dict[str, Any]:
    name = _identifier(chance)
    spelled = _spelled(name)
    question = _filled(chance, chance.choice(QUESTIONS)).replace("{name}", spelled)
    clauses = chance.randint(20, 40) if number % 50 == 0 else chance.randint(1, 2)
    sentences = [f"{_filled(chance, chance.choice(CLAUSES))}." for _ in range(clauses)]
    sentences.insert(
        chance.randint(0, 1), f"With {spelled} the {chance.choice(ORDINARY)} {chance.choice(VERBS)} first."
    )
    if chance.random() < 0.3:
        sentences.append(chance.choice(BOILERPLATE))
    return {"id": f"o{number}", "label": "original", "of": "", "name": name, "q": question, "a": " ".join(sentences)}


def _filled(chance: random.Random, template: str) -> str:
    nouns, verbs = chance.sample(ORDINARY, 3), chance.sample(VERBS, 2)
    slots = {"n": nouns[0], "n2": nouns[1], "n3": nouns[2], "v": verbs[0], "v2": verbs[1], "name": "{name}"}
    return template.format(a=chance.choice(ADJECTIVES), **slots)


def _identifier(chance: random.Random) -> dict[str, Any]:
    """What a name of the API is made of."""
    one, two = chance.sample(ORDINARY, 2)
    return {"form": chance.randrange(len(_FORMS)), "one": one, "two": two, "number": chance.randint(2, 999)}


def _spelled(name: dict[str, Any]) -> str:
    forms = {"One": name["one"].title(), "Two": name["two"].title(), "ONE": name["one"].upper()}
    return _FORMS[name["form"]].format(**name, **forms)


def _twin(chance: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """The same in other words: one to three ordinary words changed, as many as leave a row of its length alike."""
    question, answer = row["q"].split(" "), row["a"].split(" ")
    plain = [(part, i) for part in (question, answer) for i, word in enumerate(part) if word in _PLAIN]
    most = max(1, min(3, (len(question) + len(answer)) // 20))
    for part, i in chance.sample(plain, chance.randint(1, most)):
        part[i] = chance.choice([word for word in _PLAIN[part[i]] if word != part[i]])
    return _derived(row, "twin", " ".join(question), " ".join(answer), chance)


def _variant(chance: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """Another fact: the same boilerplate about another identifier or number."""
    name = row["name"]
    changed = {**name, "two": chance.choice([word for word in ORDINARY if word not in (name["one"], name["two"])])}
    changed["number"] = name["number"] + chance.randint(1, 99_999)
    old, new = _spelled(name), _spelled(changed)
    return _derived(row, "variant", row["q"].replace(old, new), row["a"].replace(old, new), chance)


def _derived(row: dict[str, Any], label: str, question: str, answer: str, chance: random.Random) -> dict[str, Any]:
    name = f"{label[0]}{chance.getrandbits(48):012x}"
    return {"id": name, "label": label, "of": row["id"], "name": "", "q": question, "a": answer}


_NOUNS = frozenset(ORDINARY)
_PLAIN = {word: words for words in (ORDINARY, ADJECTIVES, VERBS) for word in words}


def write_rows(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """As people keep them: chat rows with an id beside."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            chat = [{"role": "user", "content": row["q"]}, {"role": "assistant", "content": row["a"]}]
            file.write(json.dumps({"messages": chat, "id": row["id"]}) + "\n")


# The tools. Each reads the file at ``source`` and writes what it keeps to ``target``.


def datasketch(source: Path, target: Path) -> None:
    """MinHash of 128 permutations and its LSH."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)

    def fresh(number: int, grams: list[str]) -> bool:
        signature = MinHash(num_perm=128)
        signature.update_batch([gram.encode() for gram in grams])
        if index.query(signature):
            return False
        index.insert(number, signature)
        return True

    _one_by_one(source, target, fresh)


def rensa(source: Path, target: Path) -> None:
    """R-MinHash of 128 permutations and its LSH, its candidates verified by their signatures."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=128, num_bands=16)
    signatures: dict[int, Any] = {}

    def fresh(number: int, grams: list[str]) -> bool:
        signature = RMinHash(num_perm=128, seed=42)
        signature.update(grams)
        if any(signature.jaccard(signatures[other]) >= THRESHOLD for other in index.query(signature)):
            return False
        signatures[number] = signature
        index.insert(number, signature)
        return True

    _one_by_one(source, target, fresh)


def _one_by_one(source: Path, target: Path, fresh: Callable[[int, list[str]], bool]) -> None:
    with source.open(encoding="utf-8") as read, target.open("w", encoding="utf-8") as write:
        for number, line in enumerate(read):
            asked, told = json.loads(line)["messages"]
            words = re.findall(r"\w+", f"{asked['content']} {told['content']}".lower())
            if fresh(number, [" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))]):
                write.write(line)


TOOLS = {"datasketch": datasketch, "rensa": rensa}


def command(tool: str, source: Path, folder: Path) -> list[str]:
    """The process that is timed."""
    if tool == "ours":
        return [sys.executable, "-m", "factory", "filter", str(source), "--to", str(folder), "--only", "near_duplicate",
                "--json"]  # fmt: skip
    if tool == "ours, all filters":
        return [sys.executable, "-m", "factory", "filter", str(source), "--to", str(folder), "--json"]
    return [sys.executable, __file__, "--run", tool, str(source), str(folder / source.name)]


def measure(tool: str, source: Path, rows: list[dict[str, Any]], repeat: int) -> dict[str, float]:
    """Run a tool some times; its best speed, and the shares it dropped."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, best = Path(scratch), float("inf")
        for _ in range(repeat):
            started = time.perf_counter()
            subprocess.run(command(tool, source, folder), cwd=ROOT, check=True, capture_output=True)
            best = min(best, time.perf_counter() - started)
        with (folder / source.name).open(encoding="utf-8") as file:
            kept = {json.loads(line)["id"] for line in file}
    total = Counter(row["label"] for row in rows)
    dropped = Counter(row["label"] for row in rows if row["id"] not in kept)
    return {"rows/s": len(rows) / best, **{label: dropped[label] / total[label] for label in total}}


def below_threshold(rows: list[dict[str, Any]]) -> float:
    """The share of the planted twins that are less alike than the threshold, counted by hand."""
    originals = {row["id"]: row for row in rows if row["label"] == "original"}
    twins = [row for row in rows if row["label"] == "twin"]
    return sum(_jaccard(row, originals[row["of"]]) < THRESHOLD for row in twins) / len(twins)


def _jaccard(one: dict[str, Any], other: dict[str, Any]) -> float:
    a, b = set(_grams(one)), set(_grams(other))
    return len(a & b) / len(a | b)


def _grams(row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", f"{row['q']} {row['a']}".lower())
    return zip(words, words[1:], words[2:], strict=False)


def main() -> None:
    """Make the corpus, run the tools, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--tools", default="ours,datasketch,rensa")
    parser.add_argument("--write", type=Path, help="only write the corpus to this file")
    parser.add_argument("--run", nargs=3, metavar=("TOOL", "SOURCE", "TARGET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        TOOLS[options.run[0]](Path(options.run[1]), Path(options.run[2]))
        return
    rows = corpus(options.rows, options.seed)
    if options.write:
        write_rows(rows, options.write)
        return
    words = sum(len(f"{row['q']} {row['a']}".split()) for row in rows) / len(rows)
    print(f"{len(rows):,} rows of {words:.0f} words; {below_threshold(rows):.2%} of the twins are below {THRESHOLD}")
    print("| tool | rows/s | twins caught | originals dropped | identifier rows lost |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "rows.jsonl"
        write_rows(rows, source)
        for tool in options.tools.split(","):
            if tool in TOOLS and importlib.util.find_spec(tool) is None:
                continue
            found = measure(tool, source, rows, options.repeat)
            shares = " | ".join(f"{found[label]:.4f}" for label in ("twin", "original", "variant"))
            print(f"| {tool} | {found['rows/s']:,.0f} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
