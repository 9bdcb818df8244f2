"""How fast documents are read and cut, and what that takes of memory as the folder grows.

    python benchmarks/reading.py --docs PATH [--pages 1000 10000]

Makes folders of Markdown pages out of those below PATH (each page with a heading of its own, so that no two are alike)
and prints a line for each: megabytes and chunks a second of wall time, megabytes a second of CPU time, and the peak
memory, which must not grow with the pages. Then the same folders through ``factory generate --dry-run``, which keeps
the chunks and writes the requests, and the wall time of ``factory --help``.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from generators.chunks import chunk_document
from generators.docs.folder import read_documents
from generators.records import Document

ROOT = Path(__file__).resolve().parent.parent
PAGES_A_FOLDER = 100
# ru_maxrss is in kilobytes on Linux, in bytes on macOS.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def make_pages(sources: list[Path], count: int, folder: Path) -> None:
    """Write ``count`` pages, a hundred a subfolder, the sources in turn."""
    texts = [source.read_bytes() for source in sources]
    for number, text in enumerate(islice(cycle(texts), count)):
        page = folder / f"{number // PAGES_A_FOLDER:04d}" / f"{number:06d}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(f"# Page {number}\n\n".encode() + text)


def measure(folder: Path) -> dict[str, float]:
    """Read and cut a folder without keeping anything; seconds, bytes, chunks and peak memory in megabytes."""
    started = time.perf_counter()
    size = chunks = 0
    for document in read_documents([folder]):
        if isinstance(document, Document):
            size += document.size
            chunks += sum(1 for _ in chunk_document(document))
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    memory = used.ru_maxrss * RSS_UNIT / 1e6
    return {"bytes": size, "chunks": chunks, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "memory": memory}


def run(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in megabytes of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}")
    return time.perf_counter() - started, used.ru_maxrss * RSS_UNIT / 1e6


def report(folder: Path, pages: int) -> None:
    """Print the lines of one folder."""
    command = [sys.executable, __file__, "--docs", str(folder), "--measure"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
    found = json.loads(done.stdout)
    megabytes = found["bytes"] / 1e6
    print(
        f"{pages:6} pages, {megabytes:6.1f} MB: {megabytes / found['wall']:5.1f} MB/s, "
        f"{found['chunks'] / found['wall']:6.0f} chunks/s, {megabytes / found['cpu']:5.1f} MB a CPU second; "
        f"peak memory {found['memory']:4.0f} MB"
    )
    dry_run = [sys.executable, "-m", "factory", "generate", "--docs", str(folder), "--dry-run", "--quiet"]
    with tempfile.TemporaryDirectory() as out:
        seconds, memory = run([*dry_run, "--teacher", "openai/x", "--out", f"{out}/data"])
    print(f"{pages:6} pages through generate --dry-run: {seconds:5.1f} s, peak memory {memory:4.0f} MB")


def main() -> None:
    """Parse the arguments and print all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, required=True, help="a folder with Markdown pages")
    parser.add_argument("--pages", type=int, nargs="+", default=[1000, 10_000], help="sizes of the folders")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.docs)))
        return
    sources = sorted(path for path in options.docs.rglob("*.md") if path.is_file())
    if not sources:
        parser.error(f"there are no .md files below {options.docs}")
    for count in options.pages:
        with tempfile.TemporaryDirectory() as folder:
            make_pages(sources, count, Path(folder))
            report(Path(folder), count)
    seconds = [run([sys.executable, "-m", "factory", "--help"])[0] for _ in range(7)]
    bare = [run([sys.executable, "-c", ""])[0] for _ in range(7)]
    print(f"factory --help: {statistics.median(seconds):.3f} s (the interpreter alone {statistics.median(bare):.3f} s)")


if __name__ == "__main__":
    main()
