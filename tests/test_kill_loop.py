"""Killed at any instant, again and again: no kept reply is lost, what may be paid twice is listed, the result is equal.

FACTORY_KILLS=500 FACTORY_KILL_SEED=7 pytest tests/test_kill_loop.py     (``make soak``)
"""

import os
import random
import shutil
import signal
import time

import pytest
from conftest import SPEC_TAIL, clean_environment, write_manual

from factory.store import Workspace
from generators.journal import Journal
from generators.teachers.scripted import ScriptedTeacher, default_script

KILLS = int(os.environ.get("FACTORY_KILLS", "20"))
SEED = int(os.environ.get("FACTORY_KILL_SEED", "1"))
CONCURRENCY, DELAY = 4, 0.05
GENERATE = ("generate", "--docs", "manual", *SPEC_TAIL, "--concurrency", CONCURRENCY, "--quiet")
ROW_FILES = ("train.jsonl", "validation.jsonl", "test.jsonl", "provenance.jsonl", "rejected.jsonl")
PAGES = [f"page{number}" for number in range(30)]


class Job:
    """A workspace that is filled under kills, and what its teacher charged for it."""

    def __init__(self, folder, teacher):
        self.out, self._teacher = folder / "factory-data", teacher
        shutil.rmtree(self.out, ignore_errors=True)
        self._before = len(teacher.ledger)
        self._kept = {}
        self.kills = 0

    def charged(self):
        """Replies that the provider bills, once all requests have ended there."""
        while len(self._teacher.ledger) < self._teacher.requests:
            time.sleep(0.005)
        return sum(charge.charged for charge in self._teacher.ledger[self._before :])

    def check(self):
        """After a kill: all that was kept is there, what was lost is listed and no more than was in flight."""
        journal = Journal(self.out / "journal")
        assert [each for each in journal.damage if each.reason != "cut short"] == []
        now = {entry.request: entry.body for entry in journal.entries()}
        assert self._kept.items() <= now.items(), "a kept reply was lost"
        self._kept = now
        lost = self.charged() - sum(1 for _ in journal.receipts())
        assert lost <= len(journal.doubts) <= CONCURRENCY * self.kills
        assert Workspace(self.out).verify() == []
        return journal


def row_bytes(out):
    return {name: (out / "latest" / name).read_bytes() for name in ROW_FILES}


@pytest.fixture
def teacher():
    with ScriptedTeacher(default_script, delay=DELAY) as serving:
        yield serving


def test_killed_at_random_instants(tmp_path, forks, fork_factory, teacher):
    write_manual(tmp_path / "manual", pages=PAGES, sections=("Limits",))
    chance, environment = random.Random(SEED), clean_environment(tmp_path, teacher)
    started = time.monotonic()
    assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher).code == 0
    whole = time.monotonic() - started
    expected = row_bytes(tmp_path / "factory-data")
    job, kills, finished = Job(tmp_path, teacher), 0, 0
    while kills < KILLS:
        child, out, err = forks.start(*GENERATE, cwd=tmp_path, env=environment)
        time.sleep(chance.uniform(0, 0.6 * whole))
        os.kill(child, signal.SIGKILL)
        code = forks.wait(child)
        assert code in (0, -signal.SIGKILL), err.read_text()
        kills += 1
        job.kills += 1
        if code == 0 or (job.out / "latest").exists():
            finished += 1
            assert row_bytes(job.out) == expected
            job.check()
            job = Job(tmp_path, teacher)
        elif job.out.exists():
            job.check()
        out.unlink(missing_ok=True)
        err.unlink(missing_ok=True)
    ran = fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher)
    assert ran.code == 0, ran.err
    assert row_bytes(job.out) == expected
    journal = job.check()
    receipts = sum(1 for _ in journal.receipts())
    assert (len(journal), receipts) == (len(PAGES), len(PAGES)), "a reply that was kept was bought again"
    requests = teacher.requests
    assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher).code == 0
    assert teacher.requests == requests
