"""One run a workspace: who comes second is told at once who was first, and nothing stays locked behind the dead."""

import errno
import os
import subprocess
import sys
import threading
import time

import pytest
from conftest import SPEC_TAIL, clean_environment, command

from factory.lock import locked
from generators.errors import LockedError, StoppedError, UsageError

GENERATE = ("generate", "--docs", "manual", *SPEC_TAIL)


def test_of_twenty_simultaneous_starts_exactly_one_runs(manual, start_factory, serve):
    teacher = serve(delay=60)
    started = [start_factory(*GENERATE, teacher=teacher) for _ in range(20)]
    deadline = time.monotonic() + 60
    while sum(process.poll() is not None for process in started) < 19 or not teacher.requests:
        assert time.monotonic() < deadline, [process.poll() for process in started]
        time.sleep(0.05)
    [running] = [process for process in started if process.poll() is None]
    refused = [process for process in started if process is not running]
    assert {process.returncode for process in refused} == {5}
    for process in refused:
        printed, said = process.communicate()
        assert (printed, said.count(b"\n")) == (b"", 1)
        assert f"(process {running.pid})".encode() in said


def test_a_second_run_is_refused_before_it_reads_its_documents(manual, start_factory, run_factory, serve, tmp_path):
    teacher = serve(delay=60)
    first = start_factory(*GENERATE, teacher=teacher)
    while not teacher.requests:
        time.sleep(0.01)
    for number in range(3000):
        (tmp_path / "manual" / f"more{number}.md").write_text(f"# More\n\nThere is a page {number}, too.\n")
    before = os.times().children_user
    ran = run_factory(*GENERATE, teacher=teacher)
    assert (ran.code, ran.out) == (5, "")
    assert str(first.pid) in ran.err
    assert os.times().children_user - before < 1, "it did more than to look at the lock"


def test_a_loser_waits_for_the_winner_to_sign(tmp_path):
    """Between taking the lock and signing it, the number in it is that of a run long gone."""
    import fcntl

    file = os.open(tmp_path / ".lock", os.O_RDWR | os.O_CREAT)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    os.pwrite(file, f"{gone.pid}\n".encode(), 0)
    fcntl.flock(file, fcntl.LOCK_EX)
    signing = threading.Timer(0.1, lambda: os.pwrite(file, f"{os.getpid()}\n".encode().ljust(12), 0))
    signing.start()
    with pytest.raises(LockedError, match=rf"process {os.getpid()}\b"), locked(tmp_path):
        pass
    signing.join()
    os.close(file)
    with locked(tmp_path):
        pass


def test_a_lock_that_its_holder_took_away_holds_nothing(tmp_path):
    """Who opened the file before it was removed must not believe to hold the workspace."""
    root, inside, wrong = tmp_path / "out", [], []

    def run():
        for _ in range(60):
            try:
                with locked(root):
                    inside.append(1)
                    if len(inside) > 1:
                        wrong.append(1)
                    time.sleep(0.0005)
                    inside.pop()
            except LockedError:
                continue
            except UsageError as error:
                wrong.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, wrong) == ([], [])


@pytest.mark.parametrize("place", ["lock.open", "lock.write"])
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EROFS"])
def test_a_disk_that_fails_at_the_lock_is_exit_6(tmp_path, place, fault):
    probe = (
        "import sys; from pathlib import Path; from factory.lock import locked\nwith locked(Path(sys.argv[1])): pass"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path / "out")],
        env=clean_environment(tmp_path, FACTORY_FAILPOINT=f"{place}={fault}"),
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode()
    assert StoppedError.__name__ in said
    assert os.strerror(getattr(errno, fault)) in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments", [("generate", "--docs", "manual", "--out", "disk/out"), ("filter", "rows.jsonl", "--to", "disk/out")]
)
def test_a_read_only_disk_is_exit_6(manual, teacher, tmp_path, arguments):
    """A disk of its own, in a namespace of its own: what is there says itself that it may not be written."""
    (tmp_path / "rows.jsonl").write_text('{"question": "How many keys may a team have?", "answer": "Five keys."}\n')
    (tmp_path / "disk").mkdir()
    private = ["unshare", "--mount", "--map-root-user", "sh", "-ec"]
    disk = "mount -t tmpfs none disk; mkdir disk/out; mount -o remount,ro disk; "
    if subprocess.run([*private, disk], cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    line = [*private, f'{disk} exec "$@"', "sh", *command(*arguments)]
    done = subprocess.run(
        line, cwd=tmp_path, env=clean_environment(tmp_path, teacher), capture_output=True, check=False
    )
    said = done.stderr.decode()
    assert (done.returncode, done.stdout, said.count("\n")) == (6, b"", 1), said
    assert "Read-only file system" in said
    assert teacher.requests == 0
