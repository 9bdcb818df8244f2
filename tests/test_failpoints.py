"""A disk that fails, or a process that dies, at each write, sync and rename of a run: nothing kept is lost."""

import json
import os
import signal
from collections import Counter
from types import SimpleNamespace

import pytest
from conftest import SPEC_TAIL, answer, write_manual

from factory.store import Workspace
from generators.failpoints import PLACES, _read
from generators.journal import Journal
from generators.teachers.scripted import ScriptedTeacher

GENERATE = ("generate", "--docs", "manual", *SPEC_TAIL, "--concurrency", 2, "--quiet")
ROW_FILES = ("train.jsonl", "validation.jsonl", "test.jsonl", "provenance.jsonl", "rejected.jsonl")
# Where a run comes by several times: also at a later one.
CASES = [*PLACES, "journal.write:4", "journal.sync:2", "store.write:4", "store.sync:7", "store.sync_folder:2"]
PAGES = ("alerts", "billing", "caching")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, fork_factory):
    """What a run that nothing disturbs publishes; its teacher serves all."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_manual(folder / "manual", pages=PAGES)
    with ScriptedTeacher(answer) as teacher:
        assert fork_factory(*GENERATE, cwd=folder, teacher=teacher).code == 0
        yield SimpleNamespace(rows=row_bytes(folder / "factory-data"), teacher=teacher)


def row_bytes(out, version="latest"):
    return {name: (out / version / name).read_bytes() for name in ROW_FILES}


@pytest.mark.parametrize("place", CASES)
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "KILL"])
def test_a_run_that_is_broken_anywhere_is_finished_by_the_next(undisturbed, fork_factory, tmp_path, place, fault):
    write_manual(tmp_path / "manual", pages=PAGES)
    out, teacher = tmp_path / "factory-data", undisturbed.teacher
    before = len(teacher.ledger)
    ran = fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher, env={"FACTORY_FAILPOINT": f"{place}={fault}"})
    if fault == "KILL":
        assert ran.code == -signal.SIGKILL, f"the run does not come by {place}"
    else:
        assert (ran.code, ran.out) == (6, ""), ran.err
        assert ran.err.count("\n") == 1
        assert os.strerror(28 if fault == "ENOSPC" else 5) in ran.err
    latest = out / "latest"
    assert not latest.is_symlink() or row_bytes(out) == undisturbed.rows
    journal = Journal(out / "journal")
    assert Workspace(out).verify() == []
    assert journal.damage == []
    paid = Counter(charge.sha256 for charge in teacher.ledger[before:])
    assert sum(paid.values()) - len(journal) <= 2 + (fault != "KILL")
    assert len(journal.doubts) >= sum(paid.values()) - len(journal)
    ran = fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher)
    assert ran.code == 0, ran.err
    assert row_bytes(out) == undisturbed.rows
    assert ran.json["requests"] == 3 - len(journal)
    assert Workspace(out).verify() == []
    assert fork_factory("verify", "--json", cwd=tmp_path).json["problems"] == []


def test_a_second_version_that_breaks_leaves_the_first(undisturbed, fork_factory, tmp_path):
    """Readers see the old or the new whole version, wherever a refresh dies while it publishes."""
    docs = write_manual(tmp_path / "manual", pages=PAGES)
    out, teacher = tmp_path / "factory-data", undisturbed.teacher
    assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher).code == 0
    page = docs / "billing.md"
    page.write_text(page.read_text().replace("is 1011 and", "is 1012 and"))
    for place in [place for place in PLACES if place.startswith("store.")]:
        env = {"FACTORY_FAILPOINT": f"{place}=KILL"}
        assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher, env=env).code == -signal.SIGKILL
        assert row_bytes(out) == undisturbed.rows
        assert Workspace(out).verify() == []
        assert Workspace(out).latest() is not None
    ran = fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher)
    assert (ran.code, ran.json["requests"]) == (0, 0)
    assert b"is 1012 and" in b"".join(row_bytes(out).values())
    provenance = [json.loads(line) for line in (out / "latest" / "provenance.jsonl").read_text().splitlines()]
    assert len(provenance) == 54


@pytest.mark.parametrize("text", ["journal.wirte=KILL", "journal.write=ENOSUCH", "journal.write:x=EIO", "store.swap"])
def test_a_mistake_in_the_variable_is_said(text):
    with pytest.raises(ValueError, match="is not PLACE"):
        _read(text)
