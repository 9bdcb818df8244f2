"""How many pairs with a planted fault the filters catch that need no model, and how many good ones they let through.

    python benchmarks/corrupted.py --docs examples/api_docs --docs … [--n 1000]

Makes pairs from the documents' own sentences and code blocks, then a copy of each with one fault: a number changed, an
invented parameter, a name swapped for one of another page, a code block cut, an answer from another page; a number or a
"not" changed in answer and quote alike. Prints a line a fault: caught, of how many, and by which filters; and the share
of untouched pairs that pass.
"""

import argparse
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from filters.apply import Candidate, FilterConfig, funnel, make_filters
from generators.chunks import chunk_document
from generators.docs.folder import FolderConfig, read_documents
from generators.names import names
from generators.records import Chunk, Pair, Skipped, content_id
from generators.statements import statements

FENCE = re.compile(r"^```(python|json|yaml|bash|sh|shell|javascript|js)\n(.{40,600}?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
VERB = re.compile(r"\b(?:is|are|can|may|must|will|should|allows|accepts|requires|returns)\b")
OPPOSITES = {"allows": "forbids", "accepts": "rejects", "requires": "ignores", "returns": "never returns"}
CODE = re.compile(r"`([A-Za-z_][\w.-]{2,40})`")
Fault = Callable[[Candidate, random.Random, list[Candidate]], Pair | None]


def chunks_of(docs: list[Path]) -> list[Chunk]:
    """All chunks below the folders."""
    documents = (each for each in read_documents(docs, FolderConfig()) if not isinstance(each, Skipped))
    return [chunk for document in documents for chunk in chunk_document(document)]


def pair_of(chunk: Chunk, question: str, answer: str, quote: str, kind: str) -> Candidate:
    """A pair as a teacher would write it."""
    fact = content_id("fact", chunk.id, answer, (quote,))
    pair_id = content_id("pair", chunk.id, question, answer)
    return Candidate(Pair(pair_id, fact, question, answer, (quote,), kind, chunk.id, "openai/x", "0" * 64), chunk)


def good_pairs(chunks: list[Chunk]) -> Iterator[Candidate]:
    """Sentences as answers to the questions that they answer, and code blocks as they stand."""
    for chunk in chunks:
        topic = " ".join(chunk.heading[-2:]) or "the product"
        for statement in statements(chunk.text):
            if statement.weight > 0 and statement.foci:
                question = f"{statement.foci[0].opening[0]}, as far as {topic} is concerned?"
                yield pair_of(chunk, question, statement.answer, statement.text, "value")
        for block in FENCE.finditer(chunk.text):
            yield pair_of(chunk, f"What does the code for {topic} look like?", block[0], block[0], "code")


def number_changed(candidate: Candidate, chance: random.Random, _: list[Candidate]) -> Pair | None:
    """Another number of the same length."""
    found = list(NUMBER.finditer(candidate.pair.answer))
    if not found or candidate.pair.kind == "code":
        return None
    one = chance.choice(found)
    other = next(n for n in iter(lambda: str(chance.randrange(10 ** len(one[0]))), None) if n != one[0])
    return replace(
        candidate.pair, answer=candidate.pair.answer[: one.start()] + other + candidate.pair.answer[one.end() :]
    )


def parameter_invented(candidate: Candidate, chance: random.Random, _: list[Candidate]) -> Pair | None:
    """A name that no page knows."""
    invented = (
        f"{chance.choice(['max', 'default', 'retry', 'auto'])}_{chance.choice(['window', 'quota', 'burst', 'lease'])}"
    )
    return replace(candidate.pair, answer=f"{candidate.pair.answer.rstrip('.')}, together with `{invented}`.")


def name_swapped(candidate: Candidate, chance: random.Random, others: list[Candidate]) -> Pair | None:
    """A name of this answer becomes one of another page."""
    own = CODE.findall(candidate.pair.answer)
    foreign = [name for name in names(chance.choice(others).chunk.text) if re.fullmatch(r"[A-Za-z_][\w.-]{2,40}", name)]
    foreign = [name for name in foreign if name.lower() not in candidate.chunk.text.lower()]
    if not own or not foreign or candidate.pair.kind == "code":
        return None
    return replace(candidate.pair, answer=candidate.pair.answer.replace(f"`{own[0]}`", f"`{chance.choice(foreign)}`"))


def code_cut(candidate: Candidate, chance: random.Random, _: list[Candidate]) -> Pair | None:
    """The block ends in the middle of a bracket; half of them still close their fence."""
    if candidate.pair.kind != "code":
        return None
    body = candidate.pair.answer.removesuffix("```").rstrip("\n")
    brackets = [at for at, letter in enumerate(body) if letter in "([{" and at > body.index("\n") + 10]
    if not brackets:
        return None
    cut = body[: chance.choice(brackets) + 1]
    return replace(candidate.pair, answer=f"{cut}\n```" if chance.random() < 0.5 else cut)


def answer_elsewhere(candidate: Candidate, chance: random.Random, others: list[Candidate]) -> Pair | None:
    """The answer of another page, with this page's quote."""
    other = chance.choice([each for each in others if each.chunk.document != candidate.chunk.document])
    return replace(candidate.pair, answer=other.pair.answer)


def number_in_both(candidate: Candidate, chance: random.Random, others: list[Candidate]) -> Pair | None:
    """A lying quote: the number of the answer is another, and the answer is given as the quote."""
    broken = number_changed(candidate, chance, others)
    return broken and replace(broken, quotes=(broken.answer,))


def negation_in_both(candidate: Candidate, chance: random.Random, _: list[Candidate]) -> Pair | None:
    """A lying quote: the answer says the opposite, and is given as the quote."""
    found = list(VERB.finditer(candidate.pair.answer))
    if not found or candidate.pair.kind == "code":
        return None
    verb = chance.choice(found)
    said = OPPOSITES.get(verb[0]) or f"{verb[0]} {chance.choice(['not', 'never'])}"
    answer = candidate.pair.answer[: verb.start()] + said + candidate.pair.answer[verb.end() :]
    return replace(candidate.pair, answer=answer, quotes=(answer,))


def negation_put_in(candidate: Candidate, chance: random.Random, others: list[Candidate]) -> Pair | None:
    """The answer says the opposite of its quote."""
    broken = negation_in_both(candidate, chance, others)
    return broken and replace(broken, quotes=candidate.pair.quotes)


FAULTS: dict[str, Fault] = {
    "a number changed": number_changed,
    "a number changed, quoted so": number_in_both,
    "a negation put in": negation_put_in,
    "a negation put in, quoted so": negation_in_both,
    "an invented parameter": parameter_invented,
    "a name swapped": name_swapped,
    "a code block cut": code_cut,
    "an answer from another page": answer_elsewhere,
}


def planted(pairs: list[Candidate], each: int, chance: random.Random) -> Iterator[tuple[str, Candidate]]:
    """As many of each fault as asked for, or as can be made."""
    for name, fault in FAULTS.items():
        made = 0
        for candidate in chance.sample(pairs, len(pairs)):
            broken = fault(candidate, chance, pairs) if made < each else None
            if broken is not None and broken.answer != candidate.pair.answer:
                made += 1
                yield (
                    name,
                    Candidate(replace(broken, id=content_id(name, broken.question, broken.answer)), candidate.chunk),
                )


def main() -> None:
    """Make, plant, filter, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, action="append", required=True)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="so many of what got through, to read")
    options = parser.parse_args()
    config = FilterConfig(skip=("exact_duplicate", "differing_answer", "near_duplicate"))
    found = list(good_pairs(chunks_of(options.docs)))
    kept = {pair.id for pair in funnel(found, make_filters(config)).kept}
    print(f"{len(found)} pairs from the documents: {len(kept) / len(found):.1%} pass")
    good = [candidate for candidate in found if candidate.pair.id in kept]
    broken = list(planted(good, options.n // len(FAULTS), random.Random(options.seed)))
    outcome = funnel([candidate for _, candidate in broken], make_filters(config))
    reason = {reject.pair.id: reject.reason for reject in outcome.rejects if reject.pair}
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for name, candidate in broken:
        table[name][reason.get(candidate.pair.id, "passed")] += 1
    for name, counts in table.items():
        total, passed = counts.total(), counts.pop("passed", 0)
        print(
            f"{name:30} {total - passed:4} of {total:4} caught ({1 - passed / total:.1%}): {dict(counts.most_common())}"
        )
    caught = sum(candidate.pair.id in reason for _, candidate in broken)
    print(f"{'all':30} {caught:4} of {len(broken):4} caught ({caught / len(broken):.1%})")
    for name, candidate in [each for each in broken if each[1].pair.id not in reason][: options.show]:
        print(f"  {name}: {candidate.pair.question} | {candidate.pair.answer} | {candidate.pair.quotes}")


if __name__ == "__main__":
    main()
