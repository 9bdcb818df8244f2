"""How long a journal of many replies takes to be written, opened and counted, and how much memory.

    python benchmarks/journal.py [--replies 100000] [--bytes 3000]

Each reply is written as a run writes it: noted when sent, then kept. Opening runs in a fresh process.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generators.journal import Entry, Journal


def write(folder: Path, replies: int, size: int) -> float:
    """Seconds to write them."""
    text = json.dumps({"choices": [{"message": {"content": '{"facts": ["é \\n'.ljust(size - 40, "x")}}]})
    journal = Journal(folder)
    started = time.perf_counter()
    for number in range(replies):
        request = f"{number:064x}"
        journal.sent(request)
        journal.append(Entry(request, "openai/x", text.encode(), 1.0, time.time(), 900, 400, 0.001, "x-1", journal.run))
    journal.close()
    return time.perf_counter() - started


def resident() -> float:
    """MB of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def measure(folder: Path) -> None:
    """Open, read some, count all; print a line."""
    before = resident()
    started = time.perf_counter()
    journal = Journal(folder)
    opened = time.perf_counter() - started
    memory = resident() - before
    started = time.perf_counter()
    for number in range(10_000):
        assert journal.get(f"{number:064x}")
    got = (time.perf_counter() - started) / 10_000
    started = time.perf_counter()
    tokens = sum(receipt.output_tokens for receipt in journal.receipts())
    counted = time.perf_counter() - started
    print(f"opened {len(journal):,} replies in {opened:.2f} s, {memory:.0f} MB more memory")
    print(f"one reply read again in {got * 1e6:.0f} µs; all counted ({tokens:,} tokens) in {counted:.2f} s")
    assert not journal.damage
    assert not journal.doubts


def main() -> None:
    """Write here, measure there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replies", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=3000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        seconds = write(Path(folder), options.replies, options.bytes)
        print(f"wrote {options.replies:,} replies of {options.bytes:,} bytes in {seconds:.2f} s", flush=True)
        subprocess.run([sys.executable, __file__, "--measure", folder], check=True)


if __name__ == "__main__":
    main()
