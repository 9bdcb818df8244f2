"""The workspace on disk: publishing, reading back, checking, and who may write."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from factory.store import Row, Workspace
from filters.holdout import Place
from generators.chunk_records import read_chunks
from generators.errors import LockedError, StoppedError, UsageError
from generators.records import Chunk, Pair, Reject

# Characters that end a line for str.splitlines, that JSON escapes, that have no UTF-8, and that are wide.
ODD = 'A\u2028B\u0085C\x0bD "quoted" \\ \ud83d \U0001f600 é\r\nE\x00'


def row(number, split="train", text=ODD, **place):
    pair = Pair(
        f"{number:016x}",
        "fact",
        f"{str(number) * 30} {text}",
        f"A {text}",
        (text, "two"),
        "limit",
        "chunk",
        "openai/x",
        "0" * 64,
    )
    return Row(pair, Place(split, **place), f"page {text}.md", "3-4")


ROWS = (row(3), row(1), row(2, "test", set="seen"), row(4, "test", set="unseen"), row(5))
REJECTS = (
    Reject("parse", "wrong_schema", "facts.0: missing", "chunk", raw=ODD),
    Reject("filter", "near_duplicate", "twins", "chunk", row(9).pair, twin="0" * 15 + "1", similarity=0.8125),
)


def publish(root, rows=ROWS, rejects=REJECTS):
    return Workspace(root).publish(rows, rejects, {"documents": [], "asked": {}}, "# Card\n", "You help.")


def test_a_version_is_read_back_as_it_was_published(tmp_path):
    path = publish(tmp_path)
    version = Workspace(tmp_path).latest()
    assert (version.name, version.path) == ("v0001", path)
    assert version.rows == tuple(sorted(ROWS, key=lambda row: row.pair.id))
    assert version.rejects == REJECTS
    assert (version.manifest["format"], version.manifest["version"]) == (1, "v0001")


def test_chunks_are_read_back_as_they_were_published(tmp_path):
    chunks = [Chunk(f"{n:016x}", f"page {ODD}.md", ("Top", ODD), f"{n} {ODD}", n, n + 3, 0) for n in (1, 2)]
    path = Workspace(tmp_path).publish(ROWS, (), {"documents": [], "asked": {}}, "# Card\n", "", chunks)
    found = read_chunks(path)
    assert [(each.id, each.lines, each.kind) for each in found] == [(each.id, each.lines, each.kind) for each in chunks]
    assert [each.text.replace("\\ud83d", "\ud83d") for each in found] == [each.text for each in chunks]
    assert Workspace(tmp_path).verify() == []
    assert read_chunks(tmp_path) == []


def test_a_copy_that_follows_links_is_read_too(tmp_path):
    shutil.copytree(publish(tmp_path / "one").parent.parent, tmp_path / "copy")
    assert (tmp_path / "copy" / "latest").is_dir()
    version = Workspace(tmp_path / "copy").latest()
    assert (version.name, len(version.rows)) == ("v0001", len(ROWS))


def test_rows_are_in_the_order_of_their_ids_whatever_the_order_given(tmp_path):
    one, other = publish(tmp_path / "one"), publish(tmp_path / "other", reversed(ROWS))
    for name in ("train.jsonl", "test.jsonl", "validation.jsonl", "provenance.jsonl", "rejected.jsonl"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert (one / "validation.jsonl").read_bytes() == b""


def test_versions_are_numbered_on_and_latest_follows(tmp_path):
    assert [publish(tmp_path).name for _ in range(3)] == ["v0001", "v0002", "v0003"]
    assert (tmp_path / "latest").readlink() == Path("versions/v0003")
    assert Workspace(tmp_path).verify() == []


def test_what_a_killed_run_left_behind_harms_nothing(tmp_path):
    publish(tmp_path)
    draft = tmp_path / "versions" / ".v0002.draft"
    draft.mkdir()
    (draft / "train.jsonl").write_text("torn")
    (tmp_path / "versions" / "v0002.sha256").write_text("0" * 64)
    (tmp_path / ".latest.new").symlink_to("nowhere")
    assert Workspace(tmp_path).latest().name == "v0001"
    assert Workspace(tmp_path).verify() == []
    assert publish(tmp_path).name == "v0002"
    assert sorted(path.name for path in (tmp_path / "versions").iterdir()) == [
        "v0001",
        "v0001.sha256",
        "v0002",
        "v0002.sha256",
    ]
    assert Workspace(tmp_path).verify() == []


def test_verify_names_every_byte_that_is_not_as_published(tmp_path):
    changed, missing, extra, forged = (publish(tmp_path) for _ in range(4))
    (changed / "train.jsonl").write_bytes((changed / "train.jsonl").read_bytes().replace(b"A A", b"A B"))
    (missing / "README.md").unlink()
    (extra / "notes.txt").write_text("mine")
    manifest = json.loads((forged / "manifest.json").read_text())
    (forged / "manifest.json").write_text(json.dumps({**manifest, "files": {}}))
    assert Workspace(tmp_path).verify() == [
        f"{changed}/train.jsonl: changed",
        f"{missing}/README.md: missing",
        f"{extra}/notes.txt: not in the manifest",
        f"{forged}/manifest.json: does not match v0004.sha256",
    ]


def test_verify_says_what_is_as_published_and_yet_no_version(tmp_path):
    path = publish(tmp_path)
    (path / "provenance.jsonl").write_text("7\n")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["provenance.jsonl"] = hashlib.sha256(b"7\n").hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))
    digest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    path.with_suffix(".sha256").write_text(f"{digest}  v0001/manifest.json\n")
    [problem] = Workspace(tmp_path).verify()
    assert problem.startswith(f"the version in {path} cannot be read")


@pytest.mark.parametrize("at", [0, 63, 64, 65, 66, 70, -2, -1])
def test_verify_names_every_changed_byte_of_a_digest(tmp_path, at):
    file = publish(tmp_path).with_suffix(".sha256")
    sound = file.read_bytes()
    for byte in (b"\xff", b"~"):
        at = at % len(sound)
        file.write_bytes(sound[:at] + byte + sound[at + 1 :])
        [problem] = Workspace(tmp_path).verify()
        assert "v0001.sha256" in problem
    for changed in (sound + b" ", sound + b"\n", sound[:-1], sound.upper(), b"\xef\xbb\xbf" + sound):
        file.write_bytes(changed)
        assert len(Workspace(tmp_path).verify()) == 1, changed


def test_versions_are_listed_in_their_order_and_drafts_are_none(tmp_path):
    for _ in range(3):
        publish(tmp_path)
    workspace = Workspace(tmp_path)
    (workspace.versions / "v0003").rename(workspace.versions / "v10000")
    workspace.latest_link.unlink()
    workspace.latest_link.symlink_to("versions/v0001")
    for left in (".v0004.draft", ".v0002.gone"):
        (workspace.versions / left).mkdir()
    (workspace.versions / "vault").mkdir()
    assert workspace.names() == ["v0001", "v0002", "v10000"]
    assert workspace.find("v0002").rows == workspace.latest().rows
    assert workspace.find("v0003") is None
    workspace.clear_drafts()
    assert not list(workspace.versions.glob(".*"))
    assert workspace.names() == ["v0001", "v0002", "v10000"]


def test_a_latest_that_leads_nowhere_is_said_and_not_taken_for_a_fresh_start(tmp_path):
    publish(tmp_path).rename(tmp_path / "elsewhere")
    assert "leads to versions/v0001, which does not exist" in Workspace(tmp_path).verify()[0]
    with pytest.raises(UsageError, match=r"v0001 cannot be read .* point 'latest' at another one"):
        Workspace(tmp_path).latest()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", "{"),
        ("manifest.json", "[]"),
        ("manifest.json", '{"format": 99}'),
        ("provenance.jsonl", '{"id": 1}\n'),
        ("rejected.jsonl", "7\n"),
        ("train.jsonl", ""),
    ],
)
def test_a_damaged_version_is_named_in_one_line(tmp_path, name, content):
    (publish(tmp_path) / name).write_text(content)
    with pytest.raises(UsageError, match="versions/v0001") as caught:
        Workspace(tmp_path).latest()
    assert "\n" not in str(caught.value)


def test_a_disk_that_fails_while_publishing_leaves_the_old_version(tmp_path):
    publish(tmp_path)
    (tmp_path / ".latest.new").mkdir()  # the link cannot be made
    with pytest.raises(StoppedError, match="nothing is lost"):
        publish(tmp_path)
    assert Workspace(tmp_path).latest().name == "v0001"


# Who may write.


def test_one_run_holds_the_workspace_and_its_death_frees_it(tmp_path):
    holding = "import sys, time; from factory.store import Workspace; from pathlib import Path\n"
    holding += "with Workspace(Path(sys.argv[1])).locked(): print('held', flush=True); time.sleep(60)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    holder = subprocess.Popen([sys.executable, "-c", holding, tmp_path], env=environment, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockedError, match=rf"process {holder.pid}\b"), Workspace(tmp_path).locked():
            pass
    finally:
        holder.kill()
        holder.communicate()
    with Workspace(tmp_path).locked():
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_workspace_in_which_nothing_came_to_be_is_taken_away(tmp_path):
    (tmp_path / "kept").mkdir()
    for root in (tmp_path / "deep" / "er" / "out", tmp_path / "kept"):
        with pytest.raises(UsageError), Workspace(root).locked():
            raise UsageError("no key")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    with Workspace(tmp_path / "out").locked():
        (tmp_path / "out" / "journal").mkdir()
    assert (tmp_path / "out" / "journal").is_dir()


@pytest.mark.parametrize("taken", ["out", "out/journal", "out/versions"])
def test_a_file_in_the_way_is_refused_before_anything_is_paid(tmp_path, taken):
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine")
    with pytest.raises(UsageError, match=rf"{taken}: .*; choose another --out"), Workspace(tmp_path / "out").locked():
        pass
    assert (tmp_path / taken).read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(UsageError, match="Permission denied"), Workspace(tmp_path).locked():
        pass
    tmp_path.chmod(0o755)
