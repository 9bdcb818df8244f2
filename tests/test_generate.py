"""``generate`` through the real command line: what a run publishes, what a refresh does, what stops it half-way."""

import hashlib
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import answer, facts_in, run_command, section, write_manual

from generators.journal import Journal
from generators.teachers.scripted import Fault, ScriptedTeacher

SPEC = "openai/scripted-1"
SPLITS = ("train", "validation", "test")
# The files of a version that are the same bytes for the same replies; manifest and card carry time and cost.
ROW_FILES = (*(f"{split}.jsonl" for split in SPLITS), "provenance.jsonl", "rejected.jsonl")
TAIL = ("--teacher", SPEC, "--json")


class Pace(float):
    """A teacher's delay that is settled anew for each reply, so that replies overtake each other."""

    def __new__(cls, settle):
        self = super().__new__(cls)
        self.settle = settle
        return self

    def __add__(self, other):
        return self.settle()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A manual and its first version, made once; tests that change them take a copy (``workspace``)."""
    folder = tmp_path_factory.mktemp("published")
    write_manual(folder / "manual")
    with ScriptedTeacher(answer, delay=Pace(lambda: random.random() * 0.2)) as teacher:
        ran = run_command("generate", "--docs", "manual", *TAIL, cwd=folder, teacher=teacher)
        return SimpleNamespace(
            folder=folder,
            out=folder / "factory-data",
            ran=ran,
            ledger=teacher.ledger,
            most_in_flight=teacher.most_in_flight,
        )


@pytest.fixture
def workspace(published, tmp_path):
    """A copy of the manual and of the workspace with its first version; returns the workspace."""
    return Path(shutil.copytree(published.folder, tmp_path, symlinks=True, dirs_exist_ok=True)) / "factory-data"


@pytest.fixture
def generate(run_factory):
    """Run ``generate --docs manual --json`` with more arguments."""
    return lambda teacher, *more, env=None: run_factory(
        "generate", "--docs", "manual", *TAIL, *more, teacher=teacher, env=env
    )


def lines(path):
    return [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]


def rows(out, version="latest"):
    """Pair id → its provenance, with the row it points at."""
    folder = out / version
    texts = {split: lines(folder / f"{split}.jsonl") for split in SPLITS}
    return {
        entry["id"]: {**entry, "messages": texts[entry["split"]][entry["row"]]["messages"]}
        for entry in lines(folder / "provenance.jsonl")
    }


def row_bytes(out):
    return {name: (out / "latest" / name).read_bytes() for name in ROW_FILES}


def places(out):
    return {pair: (entry["split"], entry["set"]) for pair, entry in rows(out).items()}


def rejected(out):
    return lines(out / "latest" / "rejected.jsonl")


def versions(out):
    return sorted(path.name for path in (out / "versions").glob("v*/"))


def wait_until(true, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


# What a first run publishes.


def test_json_of_a_first_run_holds_the_contract(published):
    ran = published.ran
    assert ran.code == 0, ran.err
    assert ran.json == {
        "version": "v0001",
        "path": "factory-data/versions/v0001",
        "documents": 11,
        "chunks": 33,
        "requests": 11,
        "cached": 0,
        "pairs": {"candidates": 198, "accepted": 198, "rejected": {}},
        "splits": {split: len(lines(published.out / "latest" / f"{split}.jsonl")) for split in SPLITS},
        "cost_usd": None,
        "changes": {
            "documents_added": 11,
            "documents_changed": 0,
            "documents_removed": 0,
            "pairs_added": 198,
            "pairs_retired": 0,
        },
    }
    assert sum(ran.json["splits"].values()) == 198
    assert len(published.ledger) == 11


def test_rows_are_messages_and_nothing_else(published):
    for split in SPLITS:
        for row in lines(published.out / "latest" / f"{split}.jsonl"):
            assert list(row) == ["messages"]
            assert [(list(turn), turn["role"]) for turn in row["messages"]] == [
                (["role", "content"], role) for role in ("system", "user", "assistant")
            ]
            assert row["messages"][0]["content"] == "You are a helpful assistant for 'manual'."


def test_provenance_points_at_the_right_row_lines_and_quotes(published):
    found = rows(published.out)
    assert len(found) == 198
    for entry in found.values():
        question, told = (turn["content"] for turn in entry["messages"][1:])
        name = told.split("`")[1]
        assert f"`{name}`" in question
        assert entry["quotes"] == [told]
        first, last = map(int, entry["lines"].split("-"))
        page = (published.folder / "manual" / entry["document"]).read_text().split("\n")
        assert told in page[first - 1 : last]
        assert entry["set"] in (("seen", "unseen") if entry["split"] == "test" else ("",))
        assert (entry["teacher"], len(entry["template_sha256"])) == (SPEC, 64)
    by_fact = Counter(entry["fact"] for entry in found.values())
    assert set(by_fact.values()) == {3}


def test_unseen_documents_are_held_out_whole_and_seen_facts_are_trained(published):
    found = rows(published.out).values()
    unseen = {entry["document"] for entry in found if entry["set"] == "unseen"}
    assert unseen
    assert unseen.isdisjoint(entry["document"] for entry in found if entry["set"] != "unseen")
    trained = {entry["fact"] for entry in found if entry["split"] == "train"}
    others = [entry for entry in found if entry["split"] == "validation" or entry["set"] == "seen"]
    assert others
    assert all(entry["fact"] in trained for entry in others)


def test_manifest_holds_the_digest_of_every_other_file(published):
    version = published.out / "versions" / "v0001"
    manifest = json.loads((version / "manifest.json").read_text())
    others = {path.name for path in version.iterdir()} - {"manifest.json"}
    assert others == {*ROW_FILES, "chunks.jsonl", "README.md"}
    assert manifest["files"] == {name: hashlib.sha256((version / name).read_bytes()).hexdigest() for name in others}
    recorded = (published.out / "versions" / "v0001.sha256").read_text().split()[0]
    assert recorded == hashlib.sha256((version / "manifest.json").read_bytes()).hexdigest()
    assert manifest["pairs"] == published.ran.json["pairs"]
    assert manifest["splits"] == published.ran.json["splits"]


def test_latest_is_a_relative_link_and_the_journal_is_private(published):
    assert (published.out / "latest").readlink() == Path("versions/v0001")
    segments = list((published.out / "journal").iterdir())
    assert segments
    assert {path.stat().st_mode & 0o777 for path in segments} == {0o600}
    assert len(Journal(published.out / "journal")) == 11


def test_anthropic_teachers_give_the_same_pairs(published, run_factory, manual, teacher):
    ran = run_factory("generate", "--docs", "manual", "--teacher", "anthropic/scripted-1", "--json", teacher=teacher)
    assert (ran.code, ran.json["pairs"]) == (0, published.ran.json["pairs"])


# What a refresh does.


def test_unchanged_documents_cost_nothing_and_make_no_version(workspace, generate, teacher):
    before = (workspace / "versions" / "v0001" / "manifest.json").read_bytes()
    ran = generate(teacher)
    assert (ran.code, teacher.requests, versions(workspace)) == (0, 0, ["v0001"])
    assert (ran.json["version"], ran.json["requests"], ran.json["cost_usd"]) == ("v0001", 0, 0)
    assert ran.json["path"] == "factory-data/versions/v0001"
    assert ran.json["pairs"] == {"candidates": 198, "accepted": 198, "rejected": {}}
    assert set(ran.json["changes"].values()) == {0}
    assert (workspace / "versions" / "v0001" / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("out", ["factory-data", ".", "deep/er"])
def test_a_workspace_among_the_documents_is_none_of_them(fork_factory, teacher, tmp_path, out):
    docs = write_manual(tmp_path / "manual", pages=("alerts", "billing"))
    for requests in (2, 0, 0):
        ran = fork_factory("generate", "--docs", ".", "--out", out, *TAIL, cwd=docs, teacher=teacher)
        assert (ran.code, ran.json["version"], ran.json["documents"]) == (0, "v0001", 2), ran.err
        assert ran.json["requests"] == requests
        assert "skipped" not in ran.err


def test_line_ends_and_reflowing_change_nothing(workspace, generate, teacher, tmp_path):
    for page in (tmp_path / "manual").iterdir():
        page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    reflowed = tmp_path / "manual" / "keys.md"
    reflowed.write_bytes(reflowed.read_bytes().replace(b" service is ", b"\nservice is\n"))
    ran = generate(teacher)
    assert (ran.code, teacher.requests, versions(workspace)) == (0, 0, ["v0001"]), ran.json
    assert set(ran.json["changes"].values()) == {0}


def test_moved_and_renamed_files_cost_nothing_and_keep_their_rows(workspace, generate, teacher, tmp_path):
    before = places(workspace)
    docs = tmp_path / "manual"
    (docs / "deep").mkdir()
    for page in ("alerts", "exports", "hooks"):
        (docs / f"{page}.md").rename(docs / "deep" / f"{page}.md")
    (docs / "keys.md").rename(docs / "tokens.md")
    ran = generate(teacher)
    assert (ran.code, teacher.requests) == (0, 0)
    assert set(ran.json["changes"].values()) == {0}
    assert places(workspace) == before
    assert {"deep/alerts.md", "tokens.md"} < {entry["document"] for entry in rows(workspace).values()}


def test_one_edited_section_is_asked_about_once_and_moves_no_other_pair(workspace, generate, teacher, tmp_path):
    before, kept = rows(workspace), row_bytes(workspace)["train.jsonl"].split(b"\n")
    page = tmp_path / "manual" / "jobs.md"
    page.write_text(page.read_text().replace("is 9111 and", "is 9112 and"))
    ran = generate(teacher)
    assert (ran.code, teacher.requests, ran.json["requests"], ran.json["version"]) == (0, 1, 1, "v0002")
    assert ran.json["changes"] == {
        "documents_added": 0,
        "documents_changed": 1,
        "documents_removed": 0,
        "pairs_added": 3,
        "pairs_retired": 3,
    }
    after = rows(workspace)
    gone = {pair for pair, entry in before.items() if "is 9111 and" in entry["messages"][2]["content"]}
    assert before.keys() - after.keys() == gone
    for pair in before.keys() - gone:
        same = {} if "jobs_errors" not in before[pair]["quotes"][0] else {"chunk": after[pair]["chunk"]}
        assert {**after[pair], "row": 0} == {**before[pair], "row": 0, **same}
    others = [line for line in kept if b"is 9111 and" not in line]
    new = row_bytes(workspace)["train.jsonl"].split(b"\n")
    assert [line for line in new if b"is 9112 and" not in line] == others


def test_pairs_of_a_removed_document_go_and_come_back_for_nothing(workspace, generate, teacher, tmp_path):
    before, page = places(workspace), tmp_path / "manual" / "groups.md"
    text = page.read_text()
    page.unlink()
    ran = generate(teacher)
    assert (ran.code, ran.json["changes"]["documents_removed"], ran.json["changes"]["pairs_retired"]) == (0, 1, 18)
    assert "groups.md" not in {entry["document"] for entry in rows(workspace).values()}
    page.write_text(text)
    ran = generate(teacher)
    assert (ran.code, ran.json["changes"]["documents_added"], ran.json["changes"]["pairs_added"]) == (0, 1, 18)
    assert (teacher.requests, ran.json["cached"]) == (0, 0)
    assert places(workspace) == before


def test_splits_never_move_over_random_edits(workspace, generate, teacher, tmp_path):
    chance, docs = random.Random(7), tmp_path / "manual"
    known = places(workspace)
    for turn in range(5):
        edited, removed, cut = chance.sample(sorted(docs.glob("*.md")), 3)
        cut.write_text(cut.read_text().rpartition("\n## ")[0])
        removed.unlink()
        asks = turn % 2 == 0
        if asks:
            edited.write_text(edited.read_text().replace("value of", f"value {turn} of", chance.randint(1, 6)))
            page = f"fresh{turn}"
            (docs / f"{page}.md").write_text(f"# Quayline {page}\n\n{section(page, 'Limits', 90 + turn)}")
        ran = generate(teacher)
        assert ran.code == 0, ran.err
        now = places(workspace)
        assert {pair: now[pair] for pair in now.keys() & known.keys()} == {
            pair: known[pair] for pair in now.keys() & known.keys()
        }
        assert len(now.keys() - known.keys()) == ran.json["changes"]["pairs_added"]
        assert (ran.json["requests"] > 0, ran.json["changes"]["pairs_added"] > 0) == (asks, asks)
        known |= now
    assert len(versions(workspace)) == 6


def test_another_template_or_teacher_asks_again(workspace, generate, run_factory, teacher, tmp_path):
    assert run_factory("prompts", "copy", "facts", "mine.jinja").code == 0
    mine = tmp_path / "mine.jinja"
    mine.write_text(mine.read_text().replace("You write", "Please write"))
    assert generate(teacher, "--dry-run").json["requests"] == 0
    assert generate(teacher, "--dry-run", "--template", "mine.jinja").json["requests"] == 11
    other = run_factory("generate", "--docs", "manual", "--teacher", "openai/other", "--json", teacher=teacher)
    assert (other.code, other.json["requests"], other.json["version"]) == (0, 11, "v0002")
    assert {entry["teacher"] for entry in rows(workspace).values()} == {"openai/other"}


def test_an_answer_repeated_on_another_page_comes_in_when_the_first_page_goes(generate, serve, tmp_path):
    docs = tmp_path / "manual"
    docs.mkdir()
    fact = "The `shared_limit` value of every service is 77 and it is counted per project.\n"
    (docs / "a.md").write_text(f"# Quayline\n\n## Limits\n\n{fact}")
    (docs / "b.md").write_text(f"# Quayline\n\n## Limits\n\nSome more words stand here.\n\n{fact}")
    teacher = serve()
    ran = generate(teacher)
    assert (ran.code, ran.json["pairs"]) == (
        0,
        {"candidates": 6, "accepted": 3, "rejected": {"exact_duplicate": 3}},
    )
    kept = {entry["document"] for entry in rows(tmp_path / "factory-data").values()}
    assert all(entry["twin"] in rows(tmp_path / "factory-data") for entry in rejected(tmp_path / "factory-data"))
    [page] = kept
    (docs / page).unlink()
    ran = generate(teacher)
    assert (ran.code, ran.json["requests"]) == (0, 0)
    assert ran.json["pairs"] == {"candidates": 3, "accepted": 3, "rejected": {}}


# How many pairs.


@pytest.mark.parametrize("number", [7, 40])
def test_pairs_gives_exactly_that_many(generate, teacher, manual, tmp_path, number):
    ran = generate(teacher, "--pairs", number)
    out = tmp_path / "factory-data"
    assert (ran.code, ran.json["pairs"]["accepted"], len(rows(out))) == (0, number, number)
    assert ran.json["pairs"]["candidates"] == number + ran.json["pairs"]["rejected"].get("over_target", 0)
    assert teacher.requests < 11 or number > 11
    surplus = rejected(out)
    assert {(entry["stage"], entry["reason"]) for entry in surplus} <= {("target", "over_target")}
    assert rows(out).keys().isdisjoint(entry["pair"]["id"] for entry in surplus)


def test_fewer_pairs_than_asked_for_end_short_and_surplus_comes_back_unasked(generate, teacher, tmp_path):
    write_manual(tmp_path / "manual", pages=("alerts", "billing", "caching"))
    out = tmp_path / "factory-data"
    assert generate(teacher, "--pairs", 40).code == 0
    ran = generate(teacher, "--pairs", 60)
    assert (ran.code, ran.json["pairs"]["accepted"]) == (3, 54)
    assert "6 of 60 pairs are missing" in ran.err
    spent, before = teacher.requests, places(out)
    assert generate(teacher, "--pairs", 60).code == 3
    assert teacher.requests == spent, "asked again what the documents cannot give"
    ran = generate(teacher, "--pairs", 7)
    assert (ran.code, ran.json["pairs"]["accepted"], ran.json["pairs"]["rejected"]["over_target"]) == (0, 7, 47)
    ran = generate(teacher)
    assert (ran.code, ran.json["pairs"]["accepted"], teacher.requests) == (0, 54, spent)
    assert places(out) == before, "a pair came back to another split"


def test_rounds_that_bring_the_same_pairs_are_told_apart_from_new_ones(generate, serve, tmp_path):
    write_manual(tmp_path / "manual", pages=("alerts",), sections=("Limits",))

    def stingy(request):
        number = next((n for n in (2, 3, 4) if f"round {n}" in request.messages[0][1]), 1)
        return {"facts": facts_in(request.user)[: min(number, 2)]}

    teacher = serve(stingy)
    ran = generate(teacher, "--pairs", 6)
    assert (ran.code, teacher.requests) == (0, 2)
    assert ran.json["pairs"] == {"candidates": 9, "accepted": 6, "rejected": {"exact_duplicate": 3}}


def test_a_small_first_run_still_holds_documents_out(manual, generate, teacher, tmp_path):
    ran = generate(teacher, "--pairs", 1)
    assert (ran.code, ran.json["pairs"]["accepted"], teacher.requests) == (0, 1, 1)
    ran = generate(teacher)
    assert ran.code == 0
    sets = Counter(entry["set"] for entry in rows(tmp_path / "factory-data").values())
    assert sets["unseen"] >= 18


def test_sections_that_all_pages_share_do_not_decide_what_is_held_out(generate, teacher, tmp_path):
    docs = write_manual(tmp_path / "manual", sections=("Limits",))
    shared = "\n# Quayline\n" + "".join(f"\n{section('support', title, 90)}" for title in ("Desk", "Hours", "Staff"))
    for page in docs.iterdir():
        page.write_text(page.read_text() + shared)
    out = tmp_path / "factory-data"
    held = []
    for edit in ("number", ""):
        assert generate(teacher).code == 0
        documents = json.loads((out / "latest" / "manifest.json").read_text())["documents"]
        held.append({entry["path"] for entry in documents if entry["held_out"]})
        (docs / "alerts.md").write_text((docs / "alerts.md").read_text().replace("first` value", f"first` {edit}"))
    assert held[0] == held[1]
    assert 0 < len(held[0]) < 5


# The same replies, in whatever order and after whatever interruption, give the same bytes.


def test_order_of_arrival_changes_no_byte(published, manual, generate, teacher, tmp_path):
    assert generate(teacher, "--concurrency", 1).code == 0
    assert teacher.most_in_flight == 1 < published.most_in_flight
    assert row_bytes(tmp_path / "factory-data") == row_bytes(published.out)


def test_stopped_three_ways_and_run_again_gives_the_bytes_of_an_undisturbed_run(
    published, manual, start_factory, generate, serve, tmp_path
):
    teacher, out = serve(delay=0.15), tmp_path / "factory-data"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 6), (signal.SIGKILL, -9)):
        already = teacher.requests
        process = start_factory("generate", "--docs", "manual", *TAIL, "--concurrency", 1, teacher=teacher)
        wait_until(lambda already=already: teacher.requests >= already + 2)
        process.send_signal(number)
        printed, said = process.communicate(timeout=20)
        assert (process.returncode, printed) == (code, b"")
        assert b"Traceback" not in said
        assert not (out / "latest").is_symlink()
    kept = len(Journal(out / "journal"))
    assert kept >= 5
    ran = generate(teacher)
    assert (ran.code, ran.json["cached"], ran.json["requests"]) == (0, kept, 11 - kept)
    assert row_bytes(out) == row_bytes(published.out)
    times_asked = Counter(charge.sha256 for charge in teacher.ledger)
    assert len(times_asked) == 11
    # Only what was in flight at the SIGKILL, and so in no journal, may have been asked twice.
    assert sum(times_asked.values()) <= 12


def test_stopped_before_anything_is_asked(start_factory, tmp_path, teacher):
    os.mkfifo(tmp_path / "factory.toml")
    process = start_factory("generate", "--docs", "manual", *TAIL, teacher=teacher)
    (tmp_path / "factory.toml").open("w")  # waits until the run reads its settings
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 6
    assert said.count(b"\n") == 1


def test_a_request_that_failed_is_asked_again_by_the_next_run(published, manual, generate, serve, tmp_path):
    def faulty(request):
        return Fault("status", status=503, retry_after="0") if "keys_limits" in request.user else answer(request)

    ran = generate(serve(faulty))
    assert (ran.code, ran.json["pairs"]) == (
        0,
        {"candidates": 181, "accepted": 180, "rejected": {"no_reply": 1}},
    )
    healed = serve()
    ran = generate(healed)
    assert (ran.code, healed.requests, ran.json["pairs"]["rejected"]) == (0, 1, {})
    assert row_bytes(tmp_path / "factory-data") == row_bytes(published.out)


# Replies that are not as they should be.


def test_every_bad_reply_is_one_candidate_with_its_reason(generate, serve, tmp_path):
    docs = write_manual(tmp_path / "manual", pages=("alerts", "billing", "caching", "deploys"), sections=("Limits",))
    (docs / "odd.md").write_text("# Quayline odd\n\nThe `odd_value` value of the odd service is 5 and it is counted.\n")

    def wild(request):
        if "odd_value" in request.user:
            [fact] = facts_in(request.user)
            twice = {**fact, "questions": fact["questions"][:1]}
            noisy = {
                **fact,
                "answer": fact["answer"] + " \u2028\x1b[31m\x00",
                "questions": ["How odd is the `odd_value`\u2028 value?"],
            }
            torn = {**fact, "questions": ["Is `odd_value` torn \ud83d here?"]}
            return json.dumps({"facts": [fact, twice, noisy, torn, {"kind": "limit"}, 7]})
        bad = {"alerts": "not_json", "billing": "refusal", "caching": "empty", "deploys": "invalid_utf8"}
        return next(Fault(name) for page, name in bad.items() if f"{page}_limits" in request.messages[1][1])

    ran = generate(serve(wild))
    assert ran.code == 0, ran.err
    pairs = ran.json["pairs"]
    assert pairs["candidates"] == pairs["accepted"] + sum(pairs["rejected"].values())
    assert pairs["rejected"].keys() >= {"invalid_json", "refused", "empty_reply", "exact_duplicate", "wrong_schema"}
    found = rejected(tmp_path / "factory-data")
    assert Counter(entry["reason"] for entry in found) == pairs["rejected"]
    assert all(entry["stage"] and (entry["pair"] or entry["raw"] or entry["detail"]) for entry in found)
    assert len(rows(tmp_path / "factory-data")) == pairs["accepted"] >= 3


def test_no_usable_reply_at_all_publishes_nothing_and_still_prints_its_json(manual, generate, serve, tmp_path):
    ran = generate(serve(lambda _: "I would rather not."))
    assert ran.code == 3
    assert (ran.json["version"], ran.json["path"], ran.json["pairs"]["accepted"]) == (None, None, 0)
    assert ran.json["pairs"]["rejected"] == {"invalid_json": 22}
    assert not (tmp_path / "factory-data" / "latest").exists()
    assert ran.err.splitlines()[-1].startswith("factory: no pair was accepted, nothing is published")


def test_a_quota_that_runs_out_needs_a_person_and_loses_no_reply(published, manual, generate, serve, tmp_path):
    seen = []

    def script(request):
        seen.append(request.n)
        return Fault("insufficient_quota") if request.n == 9 else answer(request)

    # The first request goes alone; then the refusal overtakes seven replies that are paid for.
    teacher = serve(script, delay=Pace(lambda: 0.2 if len(seen) == 9 else 0.6))
    ran = generate(teacher, "--concurrency", 8)
    assert (ran.code, ran.out, teacher.requests) == (4, "", 9)
    assert "quota" in ran.err.splitlines()[-1]
    assert len(Journal(tmp_path / "factory-data" / "journal")) == sum(charge.charged for charge in teacher.ledger) == 8
    paid = serve()
    assert generate(paid).code == 0
    assert paid.requests == 3
    assert row_bytes(tmp_path / "factory-data") == row_bytes(published.out)


def test_stopping_does_not_wait_for_a_server_that_wants_to_be_left_alone(manual, start_factory, serve):
    teacher = serve(lambda _: Fault("status", status=429, retry_after="50"))
    process = start_factory("generate", "--docs", "manual", *TAIL, "--concurrency", 2, teacher=teacher)
    wait_until(lambda: len(teacher.ledger) == 1)
    time.sleep(0.2)
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 6


def test_a_second_signal_stops_at_once(manual, start_factory, serve):
    teacher = serve(delay=50)
    process = start_factory("generate", "--docs", "manual", *TAIL, teacher=teacher)
    wait_until(lambda: teacher.requests > 0)
    process.terminate()
    assert b"again to stop at once" in next(line for line in process.stderr if b"stopping" in line)
    process.terminate()
    process.communicate(timeout=10)
    assert process.returncode == 6


# What it may cost.


def test_max_cost_stops_publishes_what_there_is_and_goes_on_later(manual, generate, teacher, tmp_path):
    (tmp_path / "factory.toml").write_text(f'[prices]\n"{SPEC}" = [100.0, 100.0]\n')
    ran = generate(teacher, "--max-cost", 0.3, "--concurrency", 1)
    assert ran.code == 3
    assert "--max-cost" in ran.err
    assert 0 < teacher.requests < 11
    assert 0.3 <= ran.json["cost_usd"] < 0.6
    assert ran.json["pairs"]["accepted"] == 18 * teacher.requests == len(rows(tmp_path / "factory-data"))
    before = places(tmp_path / "factory-data")
    ran = generate(teacher)
    assert (ran.code, teacher.requests, ran.json["pairs"]["accepted"]) == (0, 11, 198)
    assert before.items() < places(tmp_path / "factory-data").items()


def test_max_tokens_stops_publishes_what_there_is_and_goes_on_later(manual, generate, teacher, tmp_path):
    ran = generate(teacher, "--max-tokens", 4000, "--concurrency", 1)
    assert (ran.code, ran.json["pairs"]["accepted"]) == (3, 18 * teacher.requests)
    assert "stopped at --max-tokens 4000; run again with more to go on" in ran.err
    assert 0 < teacher.requests < 11
    assert ran.json["pairs"]["rejected"] == {}, "what was not asked is no reject"
    ran = generate(teacher, env={"FACTORY_MAX_TOKENS": "1000000"})
    assert (ran.code, teacher.requests, ran.json["pairs"]["accepted"]) == (0, 11, 198)


def test_what_was_in_flight_at_a_kill_is_counted_and_listed(manual, start_factory, generate, run_factory, serve):
    teacher = serve(lambda asked: Fault("slow", seconds=0.0 if asked.n == 1 else 2.0))
    process = start_factory("generate", "--docs", "manual", *TAIL, "--concurrency", 3, teacher=teacher)
    wait_until(lambda: teacher.requests == 4)
    process.kill()
    process.communicate()
    status = run_factory("status", "--json").json
    assert [(each["run"], each["reason"]) for each in status["maybe_paid"]] == [(1, "in_flight")] * 3
    ran = generate(serve(), "--quiet")
    assert (ran.code, ran.json["requests"], ran.json["cached"]) == (0, 10, 1)
    assert run_factory("verify", "--json").json["maybe_paid"] == 3
    status = run_factory("status").out
    assert "3 attempts without a reply may have been paid: 3 in flight when a run ended" in status
    assert "model       scripted-1: 11 replies" in status
    status = run_factory("status", "--json").json
    assert [(each["run"], each["replies"]) for each in status["spend_by_run"]] == [(1, 1), (2, 10)]
    assert status["spend_by_model"]["scripted-1"]["replies"] == status["spend"][SPEC]["replies"] == 11


def test_a_cap_on_an_unknown_price_is_refused(manual, generate, teacher, tmp_path):
    ran = generate(teacher, "--max-cost", 1)
    assert (ran.code, ran.out, teacher.requests) == (2, "", 0)
    assert "[prices]" in ran.err
    assert not (tmp_path / "factory-data").exists()


def test_dry_run_sends_and_writes_nothing(manual, generate, teacher, tmp_path):
    (tmp_path / "factory.toml").write_text(f'[prices]\n"{SPEC}" = [1.0, 2.0]\n')
    ran = generate(teacher, "--dry-run")
    assert (ran.code, teacher.requests) == (0, 0)
    assert (ran.json["documents"], ran.json["chunks"], ran.json["requests"]) == (11, 33, 11)
    for measure in ("output_tokens", "cost_usd"):
        assert 0 < ran.json[measure]["low"] < ran.json[measure]["expected"] < ran.json[measure]["high"]
    assert not (tmp_path / "factory-data").exists()


def test_an_estimate_rests_on_real_calls_where_there_are_some(manual, generate, run_factory, teacher, tmp_path):
    (tmp_path / "factory.toml").write_text(f'[prices]\n"{SPEC}" = [1.0, 2.0]\n')
    guessed = generate(teacher, "--dry-run").json
    assert guessed["real_calls"] == 0
    assert generate(teacher, "--max-tokens", 6000, "--concurrency", 1).code == 3
    bought = teacher.requests
    measured = generate(teacher, "--dry-run").json
    assert measured["real_calls"] == bought >= 3
    ran = generate(teacher)
    assert ran.json["requests"] == measured["requests"] == 11 - bought
    cost = measured["cost_usd"]
    assert cost["low"] <= cost["expected"] <= cost["high"]
    assert abs(ran.json["cost_usd"] / cost["expected"] - 1) < 0.05
    assert f"asking {11 - bought} times for about $" in ran.err
    assert abs(ran.json["cost_usd"] / guessed["cost_usd"]["expected"] - 1) > 0.05


def test_preview_asks_about_a_few_chunks_and_publishes_nothing(manual, run_factory, generate, teacher, tmp_path):
    ran = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--preview", 3, teacher=teacher)
    assert (ran.code, teacher.requests) == (0, 1)  # three neighbours share a request, as in a whole run
    assert ran.out.count("  Q: ") == ran.out.count("  A: ") == 18
    assert not (tmp_path / "factory-data" / "versions").exists()
    assert len(Journal(tmp_path / "factory-data" / "journal")) == 1
    whole = generate(teacher)
    assert (whole.json["requests"], whole.json["cached"], teacher.requests) == (10, 1, 11)
    ran = run_factory(
        "generate", "--docs", "manual", "--teacher", SPEC, "--preview", 5, "--out", "other", teacher=teacher
    )
    assert ran.out.count("  Q: ") == 30  # a whole group and two chunks of another


# Who else is there.


def test_a_second_run_is_told_who_holds_the_workspace(manual, start_factory, generate, serve, tmp_path):
    teacher = serve(delay=30)
    first = start_factory("generate", "--docs", "manual", *TAIL, teacher=teacher)
    wait_until(lambda: teacher.requests > 0)
    ran = generate(serve())
    assert (ran.code, ran.out) == (5, "")
    assert str(first.pid) in ran.err
    assert ran.err.count("\n") == 1


def test_an_out_that_cannot_be_written_is_refused(manual, generate, teacher, tmp_path):
    (tmp_path / "taken").write_text("a file")
    for out in ("taken", "taken/below"):
        ran = generate(teacher, "--out", out)
        assert (ran.code, ran.out, teacher.requests) == (2, "", 0)
        assert "--out" in ran.err
        assert ran.err.count("\n") == 1
    assert (tmp_path / "taken").read_text() == "a file"
