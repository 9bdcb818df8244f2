"""``purge``: nothing of the document is left, whatever interrupts it."""

import shutil
import signal
from types import SimpleNamespace

import pytest
from conftest import SPEC, answer, write_manual

from factory.store import Workspace
from generators.failpoints import PURGE_PLACES
from generators.journal import Journal
from generators.teachers.scripted import ScriptedTeacher

GENERATE = ("generate", "--docs", "manual", "--teacher", SPEC, "--json")


@pytest.fixture(scope="module")
def history(tmp_path_factory, fork_factory):
    """Three versions: with billing.md, with an edit of it, and with its successor invoices.md beside another edit."""
    folder = tmp_path_factory.mktemp("history")
    docs = write_manual(folder / "manual", pages=("alerts", "billing", "caching"))
    with ScriptedTeacher(answer) as teacher:
        for number in range(3):
            if number:
                page = docs / "billing.md"
                page.write_text(page.read_text().replace(f"is {1110 + number} and", f"is {1111 + number} and"))
            if number == 2:
                page.rename(docs / "invoices.md")
            assert fork_factory(*GENERATE, cwd=folder, teacher=teacher).json["version"] == f"v000{number + 1}"
    return folder


@pytest.fixture
def place(history, tmp_path, fork_factory, teacher):
    """A copy of it."""
    shutil.copytree(history, tmp_path, symlinks=True, dirs_exist_ok=True)

    def run(*arguments, env=None):
        return fork_factory(*arguments, cwd=tmp_path, teacher=teacher, env=env)

    out = tmp_path / "factory-data"
    return SimpleNamespace(docs=tmp_path / "manual", out=out, run=run, workspace=Workspace(out))


def traces(place):
    """Files of the workspace that still tell of the document."""
    return [
        str(path.relative_to(place.out))
        for path in place.out.rglob("*")
        if path.is_file() and not path.is_symlink() and b"billing" in path.read_bytes().lower()
    ]


def test_nothing_is_left_of_a_document_that_was_edited_and_renamed(place, teacher):
    assert traces(place)
    report = place.out / "reports" / "r0001"
    report.mkdir(parents=True)
    (report / "report.json").write_text('{"version": "v0002"}')
    ran = place.run("purge", "manual/invoices.md", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["document"], ran.json["versions"], ran.json["version"], ran.json["derived"]) == (
        "invoices.md",
        ["v0001", "v0002", "v0003"],
        "v0004",
        ["reports/r0001"],
    )
    assert ran.json["replies"] == 3
    assert "invoices.md is still there" in ran.err
    assert "reports/r0001" in ran.err
    assert traces(place) == []
    version = place.workspace.latest()
    assert {row.document for row in version.rows} == {"alerts.md", "caching.md"}
    assert (len(version.rows), len(Journal(place.out / "journal")), Journal(place.out / "journal").doubts) == (
        36,
        2,
        [],
    )
    assert place.workspace.verify() == []
    (place.docs / "invoices.md").unlink()
    ran = place.run(*GENERATE)
    assert (ran.code, ran.json["version"], teacher.requests) == (0, "v0004", 0)


@pytest.mark.parametrize("point", PURGE_PLACES)
def test_killed_anywhere_it_is_finished_by_the_next(place, teacher, point):
    ran = place.run("purge", "invoices.md", env={"FACTORY_FAILPOINT": f"{point}=KILL"})
    assert ran.code == -signal.SIGKILL, "the purge does not come by"
    assert Journal(place.out / "journal").damage == []
    assert place.workspace.latest() is not None
    assert place.workspace.verify() == []
    ran = place.run("purge", "invoices.md", "--json")
    assert ran.code == 0, ran.err
    assert traces(place) == []
    assert len(place.workspace.latest().rows) == 36
    assert place.workspace.verify() == []


def test_generate_finishes_what_a_kill_left(place, teacher):
    env = {"FACTORY_FAILPOINT": "purge.rename=KILL"}
    assert place.run("purge", "invoices.md", env=env).code == -signal.SIGKILL
    (place.docs / "invoices.md").unlink()
    ran = place.run(*GENERATE)
    assert (ran.code, ran.json["version"], teacher.requests) == (0, "v0004", 0), ran.err
    assert "finishing the purge of invoices.md" in ran.err
    assert traces(place) == []


def test_what_a_deleted_version_told_is_still_known_to_the_next_purge(place):
    for name in ("alerts.md", "caching.md", "invoices.md"):
        assert place.run("purge", name).code == 0
    assert (place.workspace.latest(), place.workspace.names()) == (None, [])
    assert len(Journal(place.out / "journal")) == 0


def test_an_unknown_document_is_refused(place):
    ran = place.run("purge", "nothing.md")
    assert (ran.code, ran.out) == (2, "")
    assert "such as alerts.md" in ran.err
    assert place.workspace.names() == ["v0001", "v0002", "v0003"]
