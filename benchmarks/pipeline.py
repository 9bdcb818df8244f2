"""The whole pipeline against a local server that answers after a while: documents in, a published version out.

    python benchmarks/pipeline.py [--requests 20000] [--concurrency 512] [--delay 0.5] [--provider openai]

Makes a folder of as many pages as requests (a page is a chunk is a request), runs ``factory generate`` on it in a
process of its own, with the scripted teacher in another, and prints requests a second from the first request to the
last reply (by the server's own clock), the wall time of the whole run, CPU milliseconds a request and peak memory of
the factory's process; then the time of the same command once more, which finds nothing to do. What is measured holds
everything: reading, chunking, building requests, sending, the journal,
parsing, filters, splits, publishing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from throughput import server

PAGE = """\
# Limits of service {n}

Service {n} takes {a} requests per minute; a body above {b} kB fails with status 413 and `too_large_{n}`.
"""


def write_pages(folder: Path, count: int) -> None:
    """One page a request, no two alike."""
    for number in range(count):
        place = folder / f"{number // 500:03d}"
        place.mkdir(parents=True, exist_ok=True)
        page = PAGE.format(n=number, a=number * 7 + 3, b=number + 64)
        (place / f"service-{number}.md").write_text(page, encoding="utf-8")


def rate_of(url: str, delay: float) -> tuple[int, float]:
    """Requests that the server answered, and how many a second between the first and the last."""
    with urlopen(f"{url}/ledger") as answer:
        times = [charge["at"] for charge in json.load(answer)]
    return len(times), len(times) / (max(times) - min(times) + delay)


def main() -> None:
    """Make the pages, run once, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=512)
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--provider", default="openai", choices=("openai", "anthropic"))
    parser.add_argument("--profile", type=Path, help="write a cProfile of the run here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(options.delay) as url:
        work = Path(folder)
        write_pages(work / "docs", options.requests)
        keys = {"OPENAI_API_KEY": "scripted", "ANTHROPIC_API_KEY": "scripted"}
        environment = {**os.environ, **keys, "OPENAI_BASE_URL": f"{url}/v1", "ANTHROPIC_BASE_URL": url}
        profiler = ["-m", "cProfile", "-o", str(options.profile)] if options.profile else []
        command = ["-m", "factory", "generate", "--docs", str(work / "docs"), "--out", str(work / "out")]
        command += ["--teacher", f"{options.provider}/scripted", "--concurrency", str(options.concurrency), "--json"]
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, *profiler, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            said = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        answered, rate = rate_of(url, options.delay)
        started = time.perf_counter()
        again = subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=True)
        rerun, repeated = time.perf_counter() - started, rate_of(url, options.delay)[0] - answered
    result = json.loads(said.splitlines()[-1])
    cpu, peak = (usage.ru_utime + usage.ru_stime) / answered * 1000, usage.ru_maxrss / 1024
    print(
        f"{answered} requests, {options.concurrency} in flight: {rate:.0f} requests/s of "
        f"{options.concurrency / options.delay:.0f}; whole run {wall:.1f} s, "
        f"{cpu:.2f} ms CPU a request, peak {peak:.0f} MiB; "
        f"exit {process.returncode}, {result['pairs']['accepted']} pairs in {result['version']}"
    )
    version = json.loads(again.stdout.splitlines()[-1])["version"]
    print(f"run again: {rerun:.1f} s, {repeated} requests, {version}")


if __name__ == "__main__":
    main()
