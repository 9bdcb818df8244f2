"""How fast the funnel judges pairs on one core: all filters that look at one pair alone, and each by itself.

    python benchmarks/funnel.py [FILE.jsonl …] [--times 20] [--profile]

Judges the stored pairs of ``benchmarks/labelled.py`` again and again, each time with another number in question and
answer, so that nothing is remembered from the time before but the sections, which in a real run many pairs share too.
Seconds are the processor's, so that other work does not count.
"""

import argparse
import cProfile
import pstats
import time
from dataclasses import replace
from pathlib import Path

from labelled import LABELLED, TWINS, candidate_of, read

from factory.inputs import funnel_config
from filters import FILTERS
from filters.apply import Candidate, Filter, FilterConfig, first_drop, make_filters


def varied(candidates: list[Candidate], times: int) -> list[Candidate]:
    """The candidates so many times, no two with the same text; those of a section beside each other."""
    found = []
    for each in sorted(candidates, key=lambda candidate: candidate.chunk.id):
        for number in range(times):
            pair = each.pair
            question, answer = f"{pair.question[:-1]} no{number}?", f"{pair.answer} No{number}."
            found.append(Candidate(replace(pair, question=question, answer=answer), each.chunk))
    return found


def rate(candidates: list[Candidate], filters: list[Filter], *, whole: bool) -> float:
    """Pairs judged a second; with ``whole`` by every filter, though an earlier one drops them."""
    start = time.process_time()
    for candidate in candidates:
        if whole:
            for each in filters:
                each.judge(candidate)
        else:
            first_drop(candidate, filters)
    return len(candidates) / (time.process_time() - start)


def main() -> None:
    """Time the funnel, then each filter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[LABELLED])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    stored = [candidate_of(row) for file in options.files for row in read(file)]
    pairs = varied(stored, options.times)
    config = FilterConfig(skip=TWINS)
    for name, settings in (
        ("free teacher", config),
        ("bound teacher", funnel_config(config, "", bound=True)),
    ):
        filters = make_filters(settings)
        fast, slow = rate(pairs, filters, whole=False), rate(pairs, filters, whole=True)
        print(f"{name:14} {fast:8,.0f} pairs/s; {slow:8,.0f} if every filter judges every pair")
    if options.profile:
        profiler = cProfile.Profile()
        profiler.runcall(rate, pairs, make_filters(funnel_config(config, "", bound=True)), whole=True)
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
        return
    print()
    for name in FILTERS:
        if name not in TWINS:
            skip = tuple(other for other in FILTERS if other != name)
            one = make_filters(funnel_config(replace(config, skip=skip), "", bound=True))
            print(f"{name:20} {1e6 / rate(pairs, one, whole=True):8.1f} µs a pair")


if __name__ == "__main__":
    main()
