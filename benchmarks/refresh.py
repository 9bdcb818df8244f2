"""What a refresh takes: one edited page of many, many sections matched, and a real history of documentation.

    python benchmarks/refresh.py [--pages 1000] [--sections 10000]
    python benchmarks/refresh.py --history docs-1.0 docs-1.1 docs-2.0

The teacher is the scripted one, in a process of its own, and answers at once. ``--history`` takes folders that hold the
same documentation at consecutive releases: it refreshes from each to the next, prints requests against changed
sections, then reflows, moves and renames all of the last, which must cost none.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline import write_pages
from throughput import server

from factory.config import Settings
from factory.inputs import prepare
from factory.plan import make_plan
from factory.store import Workspace

SPEC = "openai/scripted"
_SILENT: Any = SimpleNamespace(note=id, read=id, asking=max, outcome=max)  # nobody listens


def generate(work: Path, docs: Path, url: str, *more: str) -> tuple[float, dict[str, Any]]:
    """Run ``factory generate`` in a process of its own: seconds, and what it printed."""
    environment = {**os.environ, "OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{url}/v1"}
    command = [sys.executable, "-m", "factory", "generate", "--docs", str(docs), "--out", str(work / "out")]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--teacher", SPEC, "--json", *more], env=environment, capture_output=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 3):
        sys.exit(done.stderr.decode())
    return seconds, json.loads(done.stdout)


def one_page(work: Path, url: str, pages: int) -> None:
    """A folder of pages, one of them edited."""
    docs = work / "docs"
    write_pages(docs, pages)
    first, _ = generate(work, docs, url)
    unchanged, _ = generate(work, docs, url)
    page = docs / "000" / "service-7.md"
    page.write_text(page.read_text().replace("52 requests", "53 requests"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, told = generate(work, docs, url)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{pages} pages: first run {first:.1f} s, unchanged {unchanged:.1f} s")
    print(f"  one edited: {seconds:.1f} s, {busy:.1f} of them CPU, {told['requests']} requests, {told['changes']}")


def many_sections(work: Path, url: str, sections: int) -> None:
    """A folder of so many sections: read again and matched, unchanged and with every title new."""
    docs = work / "many"
    per_page = 20
    for number in range(sections // per_page):
        docs.mkdir(exist_ok=True)
        parts = [
            f"## Setting {number}-{part}\n\nThe `setting_{number}_{part}` takes {number + part} units.\n\n"
            f"It raises `Error{number}x{part}` above that, and is read once at the start.\n"
            for part in range(per_page)
        ]
        (docs / f"page-{number}.md").write_text(f"# Page {number}\n\n" + "\n".join(parts))
    generate(work, docs, url, "--max-tokens", "200000", "--out", str(work / "many-out"))
    settings = Settings(docs=(str(docs),), out=str(work / "many-out"), teacher=SPEC, sources={"teacher": "flag"})
    for name in ("unchanged", "every title new"):
        workspace = Workspace(work / "many-out")
        started, busy = time.perf_counter(), time.process_time()
        inputs = prepare(replace(settings), _SILENT, is_local=False)
        previous = workspace.latest()
        assert previous is not None
        asked = {chunk: 1 for entry in previous.manifest["documents"] for chunk in entry["chunks"]}
        previous = replace(previous, manifest={**previous.manifest, "asked": asked})  # as if all had been asked about
        plan = make_plan(inputs, previous, workspace.find)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        took = f"{seconds:.1f} s, {busy:.1f} of them CPU"
        print(f"{len(inputs.corpus.chunks)} sections, {name}: {took}, {len(plan.todo)} to ask about")
        for page in docs.iterdir():
            page.write_text(page.read_text().replace("# Page", "# The page", 1))


def history(work: Path, url: str, releases: list[Path]) -> None:
    """Refresh from release to release."""
    docs, before = work / "history", set[str]()
    for release in releases:
        shutil.rmtree(docs, ignore_errors=True)
        shutil.copytree(release, docs)
        seconds, told = generate(work, docs, url)
        latest = Workspace(work / "out").latest()
        assert latest is not None
        chunks = {chunk for entry in latest.manifest["documents"] for chunk in entry["chunks"]}
        if before:
            print(
                f"{release.name}: {len(chunks - before)} of {len(chunks)} sections new or edited, "
                f"{told['requests']} requests, {told['changes']}, {seconds:.1f} s"
            )
        else:
            pairs = told["pairs"]["accepted"]
            print(f"{release.name}: {len(chunks)} sections, {told['requests']} requests, {pairs} pairs")
        before = chunks
    moved = docs / "moved"
    for path in [path for path in docs.rglob("*") if path.is_file()]:
        target = moved / path.relative_to(docs).with_name(f"new-{path.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        path.unlink()
        target.write_bytes(re.sub(rb"(?<!\r)\n", b"\r\n", data))
    _, told = generate(work, docs, url)
    print(f"all moved, renamed, CRLF: {told['requests']} requests, {told['changes']}")


def main() -> None:
    """Run what is asked for, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--sections", type=int, default=10_000)
    parser.add_argument("--history", type=Path, nargs="+", default=[])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server(0.0) as url:
        work = Path(folder)
        if options.history:
            history(work, url, options.history)
            return
        one_page(work, url, options.pages)
        many_sections(work, url, options.sections)


if __name__ == "__main__":
    main()
