"""How a run gets over a teacher that goes wrong: requests recovered, time, and growth of memory.

    python benchmarks/faults.py [--requests 10000] [--faults 0.2] [--concurrency 64] [--seed 1]

The scripted server runs in a process of its own and meets a share of all attempts with passing faults of every kind
(429 with and without Retry-After, 5xx, 529, 408, 409, resets, half bodies, slow answers), the same for the same seed.
"""

import argparse
import asyncio
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generators.asking import AskConfig, Asker
from generators.journal import Journal
from generators.prices import Prices
from generators.qa import QaConfig, build_requests
from generators.records import Chunk
from generators.teachers import open_teacher
from generators.templates import load_template

SPEC = "openai/scripted"
TEXT = "Key {n} may send {n}0 requests a minute. The header `X-Rate-{n}` tells how many of them are left."


@dataclass(frozen=True)
class Figures:
    """What a run came to; memory in MB of this process, after a tenth of the requests and at the end."""

    recovered: float
    maybe_paid: int
    seconds: float
    early_memory: float
    memory: float


def resident() -> float:
    """MB of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def chunks(count: int) -> Iterator[Chunk]:
    """Small sections of documents of their own, one at a time."""
    for n in range(count):
        yield Chunk(f"c{n}", f"{n}.md", (f"Limits {n}",), TEXT.format(n=n), 1, 1, 30)


async def measure(folder: Path, requests: int, concurrency: int) -> Figures:
    """Ask all; nothing of an outcome is kept but whether it holds pairs."""
    journal, teacher, template = Journal(folder), open_teacher(SPEC), load_template("facts")
    config = AskConfig(concurrency, backoff_seconds=0.05, attempts=10)
    asker = Asker(teacher, journal, template, Prices(), config)
    started, recovered, seen, early = time.perf_counter(), 0, 0, 0.0
    async for outcome in asker.ask(build_requests(chunks(requests), template, QaConfig())):
        seen += 1
        recovered += bool(outcome.parsed.pairs)
        if seen == requests // 10:
            early = resident()
    await teacher.aclose()
    journal.close()
    seconds = time.perf_counter() - started
    return Figures(recovered / requests, asker.spent.maybe_paid, seconds, early, resident())


@contextlib.contextmanager
def server(faults: float, seed: int) -> Iterator[str]:
    """The scripted teacher in its own process; its URL."""
    module = "generators.teachers.scripted"
    command = [sys.executable, "-m", module, "--faults", str(faults), "--seed", str(seed), "--brief"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def main() -> None:
    """Measure, print, and say by the exit code whether the figures are good enough."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--faults", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with server(options.faults, options.seed) as url, tempfile.TemporaryDirectory() as folder:
        os.environ.update(OPENAI_BASE_URL=f"{url}/v1", OPENAI_API_KEY="scripted")
        found = asyncio.run(measure(Path(folder), options.requests, options.concurrency))
    growth = found.memory / found.early_memory - 1
    print(f"{options.requests:,} requests, {options.faults:.0%} of attempts at fault: {found.recovered:.3%} recovered")
    print(f"{found.seconds:.0f} s; {found.maybe_paid} attempts may have been paid without a reply")
    print(f"memory {found.early_memory:.0f} MB after a tenth, {found.memory:.0f} MB at the end: {growth:+.1%}")
    raise SystemExit(found.recovered < 0.999 or growth >= 0.1)


if __name__ == "__main__":
    main()
