"""What a refresh keeps, asks, retires and refuses; ``diff``; versions pruned, rolled back, or of another format."""

import json
import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from conftest import SPEC, answer, write_manual

from factory.retired import corrections
from factory.store import Workspace
from generators.teachers.scripted import ScriptedTeacher

PAGES = ("alerts", "billing", "caching", "deploys")


@pytest.fixture(scope="module")
def first(tmp_path_factory, fork_factory):
    """A manual of four pages, twelve sections, and its first version; tests take a copy."""
    folder = tmp_path_factory.mktemp("first")
    write_manual(folder / "manual", pages=PAGES)
    with ScriptedTeacher(answer) as teacher:
        arguments = ("generate", "--docs", "manual", "--teacher", SPEC, "--json")
        assert fork_factory(*arguments, cwd=folder, teacher=teacher).json["pairs"]["accepted"] == 72
    return folder


@pytest.fixture
def place(first, tmp_path, fork_factory, teacher):
    """A copy of it: the docs, the workspace, and how to run the command line there."""
    shutil.copytree(first, tmp_path, symlinks=True, dirs_exist_ok=True)

    def run(*arguments, env=None):
        return fork_factory(*arguments, cwd=tmp_path, teacher=teacher, env=env)

    def generate(*more, env=None):
        return run("generate", "--docs", "manual", "--teacher", SPEC, "--json", *more, env=env)

    out = tmp_path / "factory-data"
    return SimpleNamespace(docs=tmp_path / "manual", out=out, run=run, generate=generate, workspace=Workspace(out))


def rows(place):
    return {row.pair.id: row for row in place.workspace.latest().rows}


def edit(place, page, old, new):
    path = place.docs / f"{page}.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


# What an edit keeps and what it asks.


def test_an_edit_asks_about_the_new_sentence_alone_and_keeps_the_others(place, teacher, serve):
    seen = []
    before = rows(place)
    edit(place, "billing", "is 1111 and", "is 1112 and")
    with ScriptedTeacher(lambda request: seen.append(request.user) or answer(request)) as watching:
        ran = place.run(
            "generate",
            "--docs",
            "manual",
            "--teacher",
            SPEC,
            "--json",
            env={"OPENAI_BASE_URL": watching.environment()["OPENAI_BASE_URL"]},
        )
    assert (ran.code, ran.json["requests"]) == (0, 1), ran.err
    [user] = seen
    new = user.partition("<new>")[2]
    assert "is 1112 and" in new
    assert "1123" not in new
    assert (ran.json["changes"]["pairs_added"], ran.json["changes"]["pairs_retired"]) == (3, 3)
    after = rows(place)
    assert {id_: after[id_].place for id_ in before.keys() & after.keys()} == {
        id_: before[id_].place for id_ in before.keys() & after.keys()
    }
    gone = [json.loads(line) for line in (place.out / "latest" / "retired.jsonl").read_text().splitlines()]
    assert {each["reason"] for each in gone} == {"support_vanished"}
    assert all("1112" in each["replaced_by"]["answer"] and "1111" in each["answer"] for each in gone)


def test_a_new_title_asks_nothing_and_keeps_all(place, teacher):
    before = rows(place)
    for page in place.docs.iterdir():
        page.write_text(page.read_text().replace("# Quayline ", "# Quayline manual: ", 1))
    ran = place.generate()
    assert (ran.code, teacher.requests) == (0, 0), ran.err
    assert {id_: row.place for id_, row in rows(place).items()} == {id_: row.place for id_, row in before.items()}


def test_sections_split_and_merged_again_ask_nothing(place, teacher):
    before = rows(place)
    edit(place, "alerts", "The `alerts_limits_second`", "## Second Alerts Limits\n\nThe `alerts_limits_second`")
    ran = place.generate()
    assert (ran.code, teacher.requests, ran.json["chunks"]) == (0, 0, 13), ran.err
    assert rows(place).keys() == before.keys()
    edit(place, "alerts", "## Second Alerts Limits\n\n", "")
    ran = place.generate()
    assert (ran.code, teacher.requests, ran.json["chunks"]) == (0, 0, 12)
    assert rows(place).keys() == before.keys()


def test_an_edit_taken_back_asks_nothing_and_brings_the_same_pairs_to_the_same_splits(place, teacher):
    before = rows(place)
    edit(place, "caching", "is 2011 and", "is 2012 and")
    assert place.generate().json["requests"] == 1
    edit(place, "caching", "is 2012 and", "is 2011 and")
    ran = place.generate()
    assert (ran.code, teacher.requests, ran.json["version"]) == (0, 1, "v0003")
    assert {id_: row.place for id_, row in rows(place).items()} == {id_: row.place for id_, row in before.items()}


def test_with_a_target_that_is_met_an_edited_section_is_asked_and_comes_in(place, teacher):
    assert place.generate("--pairs", 40).json["pairs"]["accepted"] == 40
    rounds = place.workspace.latest().manifest["asked"]
    row = next(row for row in rows(place).values() if row.pair.chunk in rounds)
    name = row.pair.answer.split("`")[1]
    edit(place, name.split("_")[0], f"The `{name}` value", f"The `{name}_new` value")
    ran = place.generate("--pairs", 40)
    assert (ran.code, teacher.requests, ran.json["pairs"]["accepted"]) == (0, 1, 40), ran.err
    assert any(f"{name}_new" in row.pair.answer for row in rows(place).values())
    assert place.generate("--pairs", 40).json["version"] == ran.json["version"]


def test_an_edited_sentence_that_still_holds_the_quote_gives_way_to_a_new_answer(fork_factory, serve, tmp_path):
    docs = tmp_path / "manual"
    docs.mkdir()
    page = docs / "limits.md"
    stays = "The `page_size` option holds 20 rows."
    page.write_text(f"# Quayline\n\n## Limits\n\nThe `wait_time` option holds 30 seconds in the client. {stays}\n")

    def script(request):
        whole = "only for reads" in request.user
        quote = "The `wait_time` option holds 30 seconds in the client" + (" only for reads." if whole else "")
        fact = {
            "kind": "value",
            "quotes": [quote],
            "questions": ["How long is `wait_time`?", "What does `wait_time` hold?"],
        }
        told = {**fact, "answer": f"{quote}"}
        more = {**fact, "answer": stays, "quotes": [stays], "questions": ["What does `page_size` hold, in rows?"]}
        return {"facts": [told] if whole else [told, more]}

    teacher = serve(script)
    arguments = ("generate", "--docs", "manual", "--teacher", SPEC, "--json")
    assert fork_factory(*arguments, cwd=tmp_path, teacher=teacher).json["pairs"]["accepted"] == 3
    page.write_text(page.read_text().replace("in the client.", "in the client only for reads."))
    ran = fork_factory(*arguments, cwd=tmp_path, teacher=teacher)
    version = Workspace(tmp_path / "factory-data").latest()
    assert {row.pair.answer for row in version.rows if "wait_time" in row.pair.question} == {
        "The `wait_time` option holds 30 seconds in the client only for reads."
    }, ran.err
    assert (ran.json["changes"]["pairs_added"], ran.json["changes"]["pairs_retired"]) == (2, 2)
    assert {each.new for each in corrections(Workspace(tmp_path / "factory-data"), "v0001", version)} == {
        "The `wait_time` option holds 30 seconds in the client only for reads."
    }


def test_corrections_follow_several_edits_to_the_last_answer(place):
    for old, new in (("is 3011 and", "is 3012 and"), ("is 3012 and", "is 3013 and")):
        edit(place, "deploys", old, new)
        assert place.generate().code == 0
    found = corrections(place.workspace, "v0001", place.workspace.latest())
    assert len(found) == 3
    assert all("3011" in each.old and "3013" in each.new for each in found)
    assert {each.pair for each in found} <= rows(place).keys()


def test_another_teacher_is_announced_with_what_it_asks_and_leaves(place, teacher):
    ran = place.run("generate", "--docs", "manual", "--teacher", "openai/other", "--dry-run", "--json")
    assert (ran.code, ran.json["requests"], ran.json["changes"]["pairs_retired"], teacher.requests) == (0, 4, 72, 0)
    ran = place.run("generate", "--docs", "manual", "--teacher", "openai/other", "--json")
    said = next(line for line in ran.err.splitlines() if "asked about again" in line)
    assert f"teacher was '{SPEC}' and is 'openai/other': all 12 sections" in said
    # It said the same: the pairs are the same, and now this teacher's.
    assert (ran.json["changes"]["pairs_retired"], {row.pair.teacher for row in rows(place).values()}) == (
        0,
        {"openai/other"},
    )


# What must not retire pairs by mistake.


def test_a_folder_that_is_suddenly_empty_is_refused_until_a_person_says_so(place, teacher):
    before = (place.out / "latest" / "train.jsonl").read_bytes()
    for page in place.docs.iterdir():
        page.unlink()
    ran = place.generate()
    assert (ran.code, ran.json["version"], ran.json["pairs"]["accepted"]) == (3, "v0001", 72)
    assert "--yes-retire-all" in ran.err.splitlines()[-1]
    assert (place.out / "latest" / "train.jsonl").read_bytes() == before
    ran = place.generate("--yes-retire-all")
    assert (ran.code, ran.json["version"], ran.json["pairs"]["accepted"]) == (0, "v0002", 0)
    write_manual(place.docs, pages=PAGES)
    ran = place.generate()
    assert (ran.code, ran.json["pairs"]["accepted"], teacher.requests) == (0, 72, 0)


def test_a_folder_that_is_half_there_is_refused(fork_factory, teacher, tmp_path):
    docs = write_manual(tmp_path / "manual", pages=[f"page{number}" for number in range(15)], sections=("Limits",))
    arguments = ("generate", "--docs", "manual", "--teacher", SPEC, "--json")
    assert fork_factory(*arguments, cwd=tmp_path, teacher=teacher).code == 0
    for page in sorted(docs.iterdir())[:11]:
        page.unlink()
    ran = fork_factory(*arguments, cwd=tmp_path, teacher=teacher)
    assert (ran.code, ran.json["version"]) == (3, "v0001")
    assert "11 of 15 documents are gone" in ran.err
    assert fork_factory(*arguments, "--yes-retire-all", cwd=tmp_path, teacher=teacher).json["version"] == "v0002"


@pytest.mark.parametrize("left", [0, 4])
def test_what_is_refused_tells_of_the_version_that_stays(fork_factory, serve, tmp_path, left):
    """With pairs that were rejected: they are a part of what is published, whatever is in the folder now."""

    def script(request):
        facts = answer(request)["facts"]
        return {
            "facts": [*facts, {**facts[0], "answer": f"It is {facts[0]['answer'][5:30]} 9876.", "quotes": ["9876"]}]
        }

    docs = write_manual(tmp_path / "manual", pages=[f"page{number}" for number in range(15)], sections=("Limits",))
    arguments = ("generate", "--docs", "manual", "--teacher", SPEC, "--json")
    teacher = serve(script)
    first = fork_factory(*arguments, cwd=tmp_path, teacher=teacher).json
    assert first["pairs"]["rejected"]
    for page in sorted(docs.iterdir())[left:]:
        page.unlink()
    ran = fork_factory(*arguments, cwd=tmp_path, teacher=teacher)
    assert (ran.code, ran.json["documents"]) == (3, left)
    assert all(ran.json[key] == first[key] for key in ("version", "path", "pairs", "splits"))
    assert not any(ran.json["changes"].values())


def test_documents_that_cannot_be_read_today_keep_their_pairs(place, teacher):
    before = rows(place)
    (place.docs / "alerts.md").write_bytes(b"\x00\x01\x02 half a copy \xff\xfe" * 50)
    (place.docs / "billing.md").unlink()
    (place.docs / "billing.md").symlink_to("nowhere.md")
    edit(place, "caching", "is 2011 and", "is 2012 and")
    ran = place.generate()
    assert (ran.code, ran.json["requests"], ran.json["documents"]) == (0, 1, 4), ran.err
    assert (ran.json["changes"]["documents_removed"], ran.json["changes"]["pairs_retired"]) == (0, 3)
    assert "alerts.md cannot be read now" in ran.err
    assert len(before.keys() - rows(place).keys()) == 3


@pytest.mark.parametrize("number", [0, 2])
def test_a_workspace_of_another_format_is_refused(place, teacher, number):
    manifest = place.out / "versions" / "v0001" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', f'"format": {number}'))
    ran = place.generate()
    assert (ran.code, ran.out, teacher.requests) == (2, "", 0)
    assert f"has format {number}" in ran.err
    assert ran.err.count("\n") == 1 or "format" in ran.err.splitlines()[-1]


def test_a_version_of_an_earlier_release_is_read_without_what_it_does_not_tell(place, teacher):
    version = place.out / "versions" / "v0001"
    manifest = json.loads((version / "manifest.json").read_text())
    for key in ("former_chunks", "recipe_parts", "commits"):
        del manifest[key]
    (version / "manifest.json").write_text(json.dumps(manifest))
    edit(place, "caching", "is 2011 and", "is 2012 and")
    ran = place.generate()
    assert (ran.code, ran.json["changes"]["pairs_retired"], teacher.requests) == (0, 3, 1)


# Versions.


def test_diff_tells_documents_pairs_reasons_and_cost(place):
    edit(place, "billing", "is 1111 and", "is 1112 and")
    (place.docs / "alerts.md").unlink()
    (place.docs / "caching.md").rename(place.docs / "cache.md")
    assert place.generate().code == 0
    found = place.run("diff", "--json").json
    assert (found["old"], found["new"], found["requests"]) == ("v0001", "v0002", 1)
    assert found["documents"] == {
        "added": [],
        "changed": ["billing.md"],
        "removed": ["alerts.md"],
        "moved": {"cache.md": "caching.md"},
    }
    assert found["pairs"]["reasons"] == {"document_removed": 18, "support_vanished": 3}
    assert (len(found["pairs"]["added"]), found["pairs"]["kept"]) == (3, 51)
    page = place.run("diff", "1", "2", "--markdown").out
    assert "## Dataset v0001 → v0002" in page
    assert "- removed: alerts.md" in page
    text = place.run("diff").out
    assert "document_removed 18" in text
    assert place.run("diff", "v0002", "v0001", "--json").json["documents"]["added"] == ["alerts.md"]
    ran = place.run("diff", "v0009")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1


def test_quiet_says_one_line_that_tells_what_changed(place):
    edit(place, "billing", "is 1111 and", "is 1112 and")
    ran = place.run("generate", "--docs", "manual", "--teacher", SPEC, "--quiet")
    assert ran.err == ""
    assert ran.out.startswith("v0002: +0 ~1 -0 documents; +3 -3 pairs, 72 in all; 1 requests")
    assert ran.out.count("\n") == 1
    ran = place.run("generate", "--docs", "manual", "--teacher", SPEC, "--quiet")
    assert ran.out.startswith("v0002 (unchanged): +0 ~0 -0 documents; +0 -0 pairs")
    assert "\x1b" not in ran.out


def test_a_moved_workspace_and_files_of_another_time_change_nothing(place, teacher, tmp_path):
    shutil.move(place.out, tmp_path / "elsewhere")
    for number, path in enumerate(sorted((tmp_path / "elsewhere").rglob("*")) + sorted(place.docs.iterdir())):
        os.utime(path, (number * 10**8,) * 2, follow_symlinks=False)
    ran = place.generate("--out", "elsewhere")
    assert (ran.code, ran.json["version"], teacher.requests) == (0, "v0001", 0)


def test_a_renamed_folder_of_documents_changes_nothing_and_another_prompt_is_told(place, teacher, tmp_path):
    place.docs.rename(tmp_path / "handbook")
    arguments = ("generate", "--docs", "handbook", "--teacher", SPEC, "--json")
    ran = place.run(*arguments)
    assert (ran.code, ran.json["version"], teacher.requests) == (0, "v0001", 0), ran.err
    ran = place.run(*arguments, env={"FACTORY_SYSTEM_PROMPT": "Answer for '{name}'."})
    assert (ran.code, ran.json["version"], teacher.requests) == (0, "v0002", 0), ran.err
    assert "'You are a helpful assistant for 'manual'.', now 'Answer for 'manual'.'" in place.run("diff").out
    prompts = {"old": "You are a helpful assistant for 'manual'.", "new": "Answer for 'manual'."}
    assert place.run("diff", "--json").json["system_prompt"] == prompts


def test_rolled_back_versions_hold_until_the_next_run_which_goes_on_for_nothing(place, teacher):
    edit(place, "billing", "is 1111 and", "is 1112 and")
    assert place.generate().json["version"] == "v0002"
    wanted = {row.pair.id for row in place.workspace.latest().rows}
    (place.out / "latest").unlink()
    (place.out / "latest").symlink_to("versions/v0001")
    assert place.workspace.latest().name == "v0001"
    ran = place.generate()
    assert (ran.code, ran.json["version"], teacher.requests, ran.json["cached"]) == (0, "v0003", 1, 1)
    assert rows(place).keys() == wanted
    assert place.run("diff", "--json").json["old"] == "v0001"


def test_old_versions_are_pruned_but_for_those_that_a_student_was_made_of(place, tmp_path):
    (tmp_path / "factory.toml").write_text("[versions]\nkeep = 2\n")
    student = place.out / "students" / "s0001"
    student.mkdir(parents=True)
    (student / "manifest.json").write_text(json.dumps({"dataset": {"version": "v0001"}}))
    for number in range(4):
        edit(place, "billing", f"is {1111 + number} and", f"is {1112 + number} and")
        assert place.generate().code == 0
    assert place.workspace.names() == ["v0001", "v0004", "v0005"]
    assert place.workspace.verify() == []


def test_commits_are_told_in_a_repository_and_missed_nowhere_else(place, tmp_path):
    if not shutil.which("git"):
        pytest.skip("no git on this machine")

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *arguments], cwd=place.docs, check=True, capture_output=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    edit(place, "billing", "is 1111 and", "is 1112 and")
    assert place.generate().code == 0
    git("commit", "-qam", "two")
    edit(place, "billing", "is 1112 and", "is 1113 and")
    git("commit", "-qam", "three")
    assert place.generate().code == 0
    found = place.run("diff", "--json").json["commits"]
    assert [len(found[side]) for side in ("old", "new")] == [1, 1]
    assert (found["old"][0]["dirty"], found["new"][0]["dirty"]) == (True, False)
    assert found["old"][0]["commit"] != found["new"][0]["commit"]
    binaries = tmp_path / "bin"
    binaries.mkdir()
    edit(place, "billing", "is 1113 and", "is 1114 and")
    assert place.generate(env={"PATH": str(binaries)}).code == 0
    assert place.workspace.latest().manifest["commits"] == []
