"""What is caught by meaning of paraphrases that a person wrote, and what is dropped of pairs that are not the same.

    python benchmarks/semantic.py            needs the extra "semantic"; fetches the model if it is not in the cache

Planted are the pairs of ``results/paraphrases.jsonl``, each beside the good labelled pair that it is ``of``. The good
labelled pairs among themselves are of different facts: what is dropped of them is listed, to be read. First as
``semantic_duplicate`` does it, by question + answer; then as leaks of the test are found, by the question.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from labelled import LABELLED, candidate_of, read

from filters.alike_meanings import AlikeMeanings, ByMeaning
from filters.apply import Candidate, FilterConfig, funnel
from filters.embeddings import embedder
from filters.semantic_duplicate import SemanticDuplicate

PARAPHRASES = Path(__file__).parent / "results" / "paraphrases.jsonl"


def planted(good: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """Each original and its paraphrase, as a pair of another fact."""
    by_question = {each.pair.question: each for each in good}
    found = []
    for line in PARAPHRASES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        original = by_question[row["of"]]
        texts = {"question": row["question"], "answer": row["answer"]}
        again = replace(original.pair, id=row["question"], fact=row["question"], **texts)
        found.append((original, Candidate(again, original.chunk)))
    return found


def leaks(good: list[Candidate], pairs: list[tuple[Candidate, Candidate]], least: float) -> str:
    """How many paraphrases would leak the test that the original stands in, and how many of the others."""
    how = ByMeaning(least, embedder().embed)
    both = AlikeMeanings([each.pair for pair in pairs for each in pair], how)
    originals = np.arange(0, 2 * len(pairs), 2)
    caught = len(list(both.first(originals + 1, originals, lambda one, other: one == other + 1)))
    rows, facts = np.arange(len(good)), np.unique([each.pair.fact for each in good], return_inverse=True)[1]
    everything = AlikeMeanings([each.pair for each in good], how)
    others = list(everything.first(rows, rows, lambda one, other: facts[one] != facts[other]))
    return f"{least}: {caught} of {len(pairs)} paraphrases leak; {len(others)} of {len(good)} others do"


def main() -> None:
    """Count at several thresholds."""
    good = list(
        {each.pair.id: each for each in map(candidate_of, filter(lambda row: row["good"], read(LABELLED)))}.values()
    )
    pairs = planted(good)
    for least in (0.75, 0.8, 0.85, 0.9):
        config = FilterConfig(semantic=True, semantic_duplicate=least)
        caught = 0
        for original, again in pairs:
            one = SemanticDuplicate(config, embedder().embed)
            one.foresee([original, again], [None, None])
            one.remember(original)
            caught += one.judge(again) is not None
        found = funnel(good, [SemanticDuplicate(config, embedder().embed)])
        print(
            f"{least}: {caught} of {len(pairs)} paraphrases caught; {len(found.rejects)} of {len(good)} others dropped"
        )
        if least == FilterConfig().semantic_duplicate:
            for reject in found.rejects:
                print(f"    {reject.similarity:.2f} '{reject.pair.question if reject.pair else ''}' {reject.detail}")
    for least in (0.75, 0.8, 0.85, 0.9):
        print(leaks(good, pairs, least))


if __name__ == "__main__":
    main()
