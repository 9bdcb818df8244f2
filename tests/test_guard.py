"""The guard: whatever a file does to its parser, the caller gets an error of its own, in time, and goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators.docs.guard import ParserProcess
from generators.errors import UnreadableDocumentError

# A reader that misbehaves in every way. The bytes of the "document" name the fault.
MISBEHAVING = """
import os, re, sys, time
from generators.docs.parsed import Parsed
from generators.records import Block

def read(data, name):
    fault = data.decode()
    if fault == "hang": time.sleep(600)
    if fault == "hold the interpreter": re.match(r"(a+)+$", "a" * 60 + "b")
    if fault == "hoard": hoard = [bytes(10_000_000) for _ in range(10_000)]
    if fault == "recurse": read(data, name)
    if fault == "abort": os.abort()
    if fault == "exit": os._exit(3)
    if fault == "raise": raise KeyError("odd")
    if fault == "import": import a_package_that_is_not_installed
    if fault == "unfold": return Parsed("", (Block("prose", "x" * 90_000_000, 1, 1),))
    if fault == "print": print("noise"); sys.stderr.write("noise" * 3_000_000)
    return Parsed(str(os.getpid()), (Block("prose", fault, 1, 1),))
"""
READER = "misbehaving.reader"


@pytest.fixture
def import_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "misbehaving"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "reader.py").write_text(MISBEHAVING)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def parser(import_path: Path) -> Iterator[ParserProcess]:
    with ParserProcess(seconds=4, memory=1 << 30) as parser:
        yield parser


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hang", "timeout"),
        ("hold the interpreter", "timeout"),
        ("hoard", "too_much_memory"),
        ("recurse", "malformed"),
        ("abort", "parser_crashed"),
        ("exit", "parser_crashed"),
        ("raise", "malformed"),
        ("import", "missing_extra"),
        ("unfold", "oversized"),
    ],
)
def test_a_fault_costs_one_file_and_the_next_is_read(parser: ParserProcess, fault: str, reason: str) -> None:
    with pytest.raises(UnreadableDocumentError) as raised:
        parser.read(READER, fault.encode(), "file.x")
    assert raised.value.reason == reason
    assert raised.value.detail.removeprefix("reading ").startswith("file.x")
    assert parser.read(READER, b"fine", "next.x").blocks[0].text == "fine"


def test_one_worker_serves_many_files_and_noise_does_not_garble_its_replies(parser: ParserProcess) -> None:
    workers = {parser.read(READER, fault, "file.x").title for fault in (b"one", b"print", b"three")}
    assert len(workers) == 1
    assert workers != {str(os.getpid())}
    parser.close()
    assert not is_running(int(workers.pop()))


def test_small_markdown_needs_no_worker_and_large_markdown_is_guarded() -> None:
    with ParserProcess(seconds=60, memory=400 << 20) as parser:
        assert parser.read("markdown", b"# H", "a.md").blocks[0].text == "H"
        assert parser._worker is None
        with pytest.raises(UnreadableDocumentError) as raised:
            parser.read("markdown", b"[" * 15_000_000, "a.md")
        assert raised.value.reason == "too_much_memory"


@pytest.mark.parametrize("fault", ["fine", "hang"])
def test_the_worker_ends_with_a_caller_that_is_killed(import_path: Path, fault: str) -> None:
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(import_path), fault], stdout=subprocess.PIPE, text=True
    )
    assert caller.stdout
    worker = int(caller.stdout.readline())
    time.sleep(0.5)  # for the second request to arrive
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    caller.stdout.close()
    deadline = time.monotonic() + 5
    while is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(worker)


# No ``if __name__ == "__main__"``: a library must not ask that of a script.
CALLER = """
import sys
sys.path.insert(0, sys.argv[1])
from generators.docs.guard import ParserProcess
parser = ParserProcess()
print(parser.read("misbehaving.reader", b"fine", "a").title, flush=True)
parser.read("misbehaving.reader", sys.argv[2].encode(), "a")
import time
time.sleep(600)
"""


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")  # an orphan that ended may wait for a parent to take notice
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"
