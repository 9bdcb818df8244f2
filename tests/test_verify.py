"""``verify``: what was taken away from a workspace, and not only what was changed in it."""

import json
import shutil
from types import SimpleNamespace

import pytest
from conftest import SPEC_TAIL, answer, write_manual

from generators.teachers.scripted import ScriptedTeacher

GENERATE = ("generate", "--docs", "manual", *SPEC_TAIL)


@pytest.fixture(scope="module")
def history(tmp_path_factory, fork_factory):
    """Two versions, from a segment of the journal each."""
    folder = tmp_path_factory.mktemp("history")
    with ScriptedTeacher(answer) as teacher:
        for pages in (("alerts", "billing"), ("alerts", "billing", "caching")):
            write_manual(folder / "manual", pages=pages)
            assert fork_factory(*GENERATE, cwd=folder, teacher=teacher).code == 0
    return folder


@pytest.fixture
def place(history, tmp_path, fork_factory):
    """A copy of it, and ``verify`` there: exit code and problems."""
    shutil.copytree(history, tmp_path, symlinks=True, dirs_exist_ok=True)

    def verify():
        ran = fork_factory("verify", "--json", cwd=tmp_path)
        return ran.code, ran.json["problems"]

    def run(*arguments):
        return fork_factory(*arguments, cwd=tmp_path)

    out = tmp_path / "factory-data"
    return SimpleNamespace(out=out, journal=out / "journal", verify=verify, run=run)


def test_segments_and_replies_that_are_gone_are_named(place):
    assert place.verify() == (0, [])
    segment = place.journal / "000001.jsonl"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(line for line in lines if b'"request"' not in line))
    assert place.verify() == (2, ["factory-data/journal/000001.jsonl: 2 of 2 replies are missing"])
    segment.unlink()
    (place.journal / "000002.jsonl").unlink()
    missing = ["factory-data/journal/000001.jsonl: missing, with 2 replies that were paid for"]
    missing += ["factory-data/journal/000002.jsonl: missing, with 1 replies that were paid for"]
    assert place.verify() == (2, missing)
    shutil.rmtree(place.journal)
    assert place.verify() == (2, missing)
    assert "put the journal back" in place.run("verify").out


def test_of_an_earlier_release_it_is_told_if_nothing_is_left(place):
    from factory.store import Workspace
    from factory.verify import lost_replies
    from generators.journal import Journal

    workspace = Workspace(place.out)
    manifests = {name: workspace.manifest(workspace.versions / name) for name in workspace.names()}
    for manifest in manifests.values():
        del manifest["journal"]
    assert lost_replies(workspace, Journal(place.journal), manifests) == []
    (place.journal / "000001.jsonl").unlink()
    assert lost_replies(workspace, Journal(place.journal), manifests) == []
    shutil.rmtree(place.journal)
    [problem] = lost_replies(workspace, Journal(place.journal), manifests)
    assert "took 3 replies" in problem


def test_what_a_purge_took_out_is_not_missed(place):
    for name in ("alerts.md", "billing.md"):
        assert place.run("purge", name).code == 0
        assert place.verify() == (0, [])
    kinds = [next(iter(json.loads(line[9:]))) for line in (place.journal / "000001.jsonl").read_bytes().splitlines()]
    assert "request" not in kinds


def test_a_latest_that_is_gone_or_leads_nowhere_is_named(place):
    latest = place.out / "latest"
    latest.unlink()
    assert place.verify() == (2, ["factory-data/latest: missing, though 2 versions are published"])
    assert "ln -sfn versions/v0002 factory-data/latest" in place.run("verify").out
    latest.symlink_to("versions/v0009")
    code, [problem] = place.verify()
    assert (code, "leads to versions/v0009, which does not exist" in problem) == (2, True)


def test_a_purge_that_leaves_nothing_of_the_latest_leads_to_the_newest_that_stays(fork_factory, tmp_path):
    docs = write_manual(tmp_path / "manual", pages=("alerts",))
    with ScriptedTeacher(answer) as teacher:
        assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher).code == 0
        write_manual(docs, pages=("billing",))
        (docs / "alerts.md").unlink()
        assert fork_factory(*GENERATE, cwd=tmp_path, teacher=teacher).code == 0
    ran = fork_factory("purge", "billing.md", "--json", cwd=tmp_path)
    assert (ran.code, ran.json["version"]) == (0, "v0001"), ran.err
    assert fork_factory("verify", cwd=tmp_path).code == 0
