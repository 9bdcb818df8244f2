"""The journal and the store on a disk that fails at one call, in this process: what is kept stays, what comes goes on.

``test_failpoints.py`` does the same to whole runs.
"""

import errno
import os
import resource
import signal
from dataclasses import replace

import pytest
from test_journal import ENTRY, entries
from test_store import REJECTS, ROWS, publish

from factory.store import Workspace
from generators.errors import LockedError, StoppedError
from generators.failpoints import arm
from generators.journal import Journal


@pytest.fixture
def broken():
    """Arm failpoints; disarmed at the test's end."""
    yield arm
    arm("")


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EROFS"])
@pytest.mark.parametrize("place", ["folder", "create", "write"])
def test_a_reply_that_cannot_be_written_is_not_acknowledged(tmp_path, broken, place, fault):
    journal = Journal(tmp_path / "journal")
    broken(f"journal.{place}={fault}")
    with pytest.raises(StoppedError) as raised:
        journal.append(ENTRY)
    assert os.strerror(getattr(errno, fault)) in str(raised.value)
    assert str(journal.folder) in str(raised.value)
    assert "run again" in str(raised.value)
    assert (len(journal), journal.get(ENTRY.request)) == (0, None)
    journal.append(ENTRY)
    journal.close()
    for opened in (journal, Journal(journal.folder)):
        assert (len(opened), opened.damage, opened.get(ENTRY.request)) == (1, [], ENTRY)


def test_what_was_written_before_the_disk_failed_is_read_and_written_on(tmp_path, broken):
    journal, kept = Journal(tmp_path / "journal"), entries(4)
    broken("journal.write:3=ENOSPC")
    for entry in kept[:2]:
        journal.append(entry)
    with pytest.raises(StoppedError):
        journal.append(kept[2])
    for entry in kept[2:]:
        journal.append(entry)
    assert [journal.get(entry.request) for entry in kept] == kept
    journal.close()
    assert len(list(journal.folder.iterdir())) == 2, "never behind a torn line"
    opened = Journal(journal.folder)
    assert (list(opened.entries()), opened.damage, opened.run) == (kept, [], 3)


def test_a_line_that_the_disk_took_half_of_is_taken_back(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append(ENTRY)
    [segment] = journal.folder.iterdir()
    whole = segment.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 100, before[1]))
    try:
        with pytest.raises(StoppedError, match="No space left"):
            journal.append(replace(ENTRY, request="b" * 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert segment.stat().st_size == whole
    assert (journal.get("b" * 64), Journal(journal.folder).damage) == (None, [])


def test_a_sync_that_fails_stops_the_run_and_loses_nothing(tmp_path, broken):
    journal = Journal(tmp_path / "journal")
    journal.sync()
    journal.close()
    assert not journal.folder.exists(), "nothing to sync is no fault"
    broken("journal.sync:2=EIO")
    journal.append(ENTRY)
    with pytest.raises(StoppedError, match="Input/output error"):
        journal.close()
    assert journal.get(ENTRY.request) == ENTRY
    other = replace(ENTRY, request="b" * 64)
    journal.append(other)
    journal.close()
    assert list(Journal(journal.folder).entries()) == [ENTRY, other]


def test_what_cannot_be_noted_is_not_sent(tmp_path, broken):
    journal = Journal(tmp_path / "journal")
    for note in (lambda: journal.sent("a" * 64), lambda: journal.failed("a" * 64, "reset", maybe_charged=True)):
        broken("journal.write=ENOSPC")
        with pytest.raises(StoppedError):
            note()
    assert journal.doubts == []


def test_replies_are_forced_to_the_disk_twice_a_second_and_not_each(tmp_path, broken, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("generators.journal.time.monotonic", lambda: clock[0])
    synced = []
    monkeypatch.setattr("generators.journal.os.fsync", lambda descriptor: synced.append(clock[0]))
    journal = Journal(tmp_path / "journal")
    for seconds in (100.0, 100.2, 100.5, 100.6, 100.9, 101.2):
        clock[0] = seconds
        journal.append(ENTRY)
    folders = 1
    assert synced[folders:] == [100.0, 100.6, 101.2]


@pytest.mark.parametrize("place", ["folder", "write", "write:3", "sync", "sync_folder", "sync_folder:2", "rename"])
def test_a_version_is_published_whole_or_not_at_all(tmp_path, broken, place):
    publish(tmp_path)
    workspace = Workspace(tmp_path)
    broken(f"store.{place}=ENOSPC")
    with pytest.raises(StoppedError):
        publish(tmp_path, rows=ROWS[:2])
    assert workspace.latest().name == "v0001"
    assert workspace.verify() == []
    with workspace.locked():
        publish(tmp_path, rows=ROWS[:3], rejects=REJECTS[:1])
    assert len(workspace.latest().rows) == 3
    assert workspace.verify() == []


@pytest.mark.parametrize("place", ["link", "swap"])
def test_a_latest_that_cannot_be_moved_leads_to_the_old_version(tmp_path, broken, place):
    publish(tmp_path)
    broken(f"store.{place}=EIO")
    with pytest.raises(StoppedError):
        publish(tmp_path, rows=ROWS[:2])
    assert Workspace(tmp_path).latest().name == "v0001"
    assert Workspace(tmp_path).verify() == []


def test_a_workspace_is_held_once(tmp_path):
    workspace = Workspace(tmp_path)
    with workspace.locked(), pytest.raises(LockedError, match=str(os.getpid())), workspace.locked():
        pass


def test_a_version_without_its_digest_is_named(tmp_path):
    path = publish(tmp_path)
    digest = path.parent / "v0001.sha256"
    digest.write_text("")
    assert Workspace(tmp_path).verify() == [f"{path / 'manifest.json'}: does not match v0001.sha256"]
    digest.unlink()
    assert Workspace(tmp_path).verify() == [f"{path / 'manifest.json'}: does not match v0001.sha256"]
