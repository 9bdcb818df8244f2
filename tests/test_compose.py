"""What a version is made of, from outside: a person's pairs, questions without an answer, an honest test, exactly N."""

import json
from itertools import combinations

SPEC = "openai/scripted-1"
WITH = {"FACTORY_UNANSWERABLE_SHARE": "0.05"}


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def version(tmp_path):
    latest = tmp_path / "factory-data" / "latest"
    splits = {name: lines(latest / f"{name}.jsonl") for name in ("train", "validation", "test")}
    rows = lines(latest / "provenance.jsonl")
    for row in rows:
        row["question"] = splits[row["split"]][row["row"]]["messages"][-2]["content"]
        row["answer"] = splits[row["split"]][row["row"]]["messages"][-1]["content"]
    return rows


def grams(question):
    return {question.lower()[at : at + 5] for at in range(max(1, len(question) - 4))}


def generate(run_factory, teacher, *flags, env=None):
    ran = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--json", *flags, teacher=teacher, env=env)
    return ran, json.loads(ran.out.splitlines()[-1]) if ran.out else None


def test_some_questions_have_no_answer_and_an_edit_moves_none_of_them(manual, run_factory, teacher, tmp_path):
    _, first = generate(run_factory, teacher, env=WITH)
    rows = version(tmp_path)
    without = {row["id"] for row in rows if row["kind"] == "unanswerable"}
    assert 0.01 < len(without) / len(rows) < 0.1
    assert first["pairs"]["accepted"] == len(rows)
    assert all("not" in row["answer"] and row["quotes"] == [] for row in rows if row["id"] in without)
    ran, again = generate(run_factory, teacher, env=WITH)
    assert (ran.code, again["version"], again["requests"]) == (0, "v0001", 0)
    page = sorted(manual.glob("*.md"))[0]
    page.write_text(page.read_text("utf-8") + "\n## Colours\n\nA colour takes 7 shades of `grey_tone`.\n", "utf-8")
    _, edited = generate(run_factory, teacher, env=WITH)
    assert edited["version"] == "v0002"
    assert without <= {row["id"] for row in version(tmp_path)}


def test_exactly_as_many_as_asked_for_whatever_they_are_made_of(manual, run_factory, teacher, tmp_path):
    (tmp_path / "factory-data").mkdir()
    gold = [{"question": f"What does rule {n} of the house say?", "answer": f"Rule {n}."} for n in range(3)]
    (tmp_path / "factory-data" / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)), "utf-8")
    for wanted in (1, 20, 37):
        ran, result = generate(run_factory, teacher, "--pairs", wanted, env=WITH)
        kept = max(wanted, 3)  # a person's own pairs are never left out
        assert (ran.code, result["pairs"]["accepted"], len(version(tmp_path))) == (0, kept, kept)
        assert sum(result["splits"].values()) == kept


def test_no_question_of_the_test_is_nearly_in_training(manual, run_factory, teacher, tmp_path):
    generate(run_factory, teacher, env=WITH)
    rows = version(tmp_path)
    known = {row["id"]: grams(row["question"]) for row in rows}
    for one, other in combinations(rows, 2):
        if one["split"] != other["split"]:
            a, b = known[one["id"]], known[other["id"]]
            assert len(a & b) / len(a | b) < 0.8
    assert {row["set"] for row in rows if row["split"] == "test"} == {"seen", "unseen"}
    assert run_factory("verify").code == 0


def test_a_persons_pairs_stay_through_every_refresh_and_where_they_are_pinned(manual, run_factory, teacher, tmp_path):
    pinned = {"question": "Who may see the vault?", "answer": "Nobody.", "test": True}
    trained = {"question": "How long is the corridor?", "answer": "42 steps."}
    (tmp_path / "mine.jsonl").write_text(f"{json.dumps(pinned)}\n{json.dumps(trained)}\n", "utf-8")
    _, first = generate(run_factory, teacher, "--gold", "mine.jsonl")
    assert first["pairs"]["accepted"] == 200
    own = {row["question"]: row for row in version(tmp_path) if row["teacher"] == "person"}
    assert (own[pinned["question"]]["split"], own[trained["question"]]["answer"]) == ("test", "42 steps.")
    assert (own[trained["question"]]["document"], own[trained["question"]]["lines"]) == ("mine.jsonl", "2-2")
    sorted(manual.glob("*.md"))[0].unlink()
    generate(run_factory, teacher, "--gold", "mine.jsonl")
    assert {row["id"] for row in version(tmp_path) if row["teacher"] == "person"} == {row["id"] for row in own.values()}
    (tmp_path / "mine.jsonl").write_text(json.dumps(trained), "utf-8")
    _, fewer = generate(run_factory, teacher, "--gold", "mine.jsonl")
    assert fewer["changes"]["pairs_retired"] == 1


def test_a_person_who_asks_what_the_teacher_asks_is_right(manual, run_factory, teacher, tmp_path):
    generate(run_factory, teacher)
    row = next(row for row in version(tmp_path) if row["split"] == "train")
    (tmp_path / "mine.jsonl").write_text(json.dumps({"question": row["question"], "answer": "As I say."}), "utf-8")
    ran, result = generate(run_factory, teacher, "--gold", "mine.jsonl", "--out", "other")
    assert (ran.code, result["pairs"]["rejected"]) == (0, {"differing_answer": 1})


def test_a_gold_file_that_is_none_is_refused_before_anything_is_spent(manual, run_factory, teacher, tmp_path):
    (tmp_path / "mine.jsonl").write_text('{"question": "Why?"}', "utf-8")
    for name, said in (("mine.jsonl", "mine.jsonl, line 1: answer"), ("none.jsonl", "cannot read none.jsonl")):
        ran, _ = generate(run_factory, teacher, "--gold", name)
        assert (ran.code, ran.out, teacher.requests) == (2, "", 0)
        assert said in ran.err
        assert ran.err.count("\n") == 1


def test_a_lower_target_keeps_every_split(manual, run_factory, teacher, tmp_path):
    generate(run_factory, teacher)
    before = {row["id"]: (row["split"], row["set"]) for row in version(tmp_path)}
    ran, lower = generate(run_factory, teacher, "--pairs", 30)
    assert (ran.code, lower["pairs"]["accepted"], lower["requests"]) == (0, 30, 0)
    rows = version(tmp_path)
    assert {(row["split"], row["set"]) for row in rows} == set(before.values())
    assert all(before[row["id"]] == (row["split"], row["set"]) for row in rows)
    trained = {row["fact"] for row in rows if row["split"] == "train"}
    assert {row["fact"] for row in rows if row["set"] == "seen"} <= trained


def test_a_pin_that_is_taken_back_leaves_the_test(manual, run_factory, teacher, tmp_path):
    line = {"question": "Who may see the vault?", "answer": "Nobody.", "test": True}
    for pinned in (True, False, True):
        (tmp_path / "mine.jsonl").write_text(json.dumps({**line, "test": pinned}), "utf-8")
        generate(run_factory, teacher, "--gold", "mine.jsonl")
        [own] = [row for row in version(tmp_path) if row["teacher"] == "person"]
        assert own["split"] == ("test" if pinned else "train")


def test_a_dry_run_with_a_target_weighs_what_the_first_round_asks(manual, run_factory, teacher):
    everything = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--dry-run", "--json", teacher=teacher)
    few = run_factory(
        "generate", "--docs", "manual", "--teacher", SPEC, "--dry-run", "--json", "--pairs", "10", teacher=teacher
    )
    assert everything.json["requests"] == everything.json["requests_at_most"] == few.json["requests_at_most"]
    assert 0 < few.json["requests"] < everything.json["requests"]
    ran, result = generate(run_factory, teacher, "--pairs", 10)
    assert (ran.code, result["requests"]) == (0, few.json["requests"])
    again = run_factory(
        "generate", "--docs", "manual", "--teacher", SPEC, "--dry-run", "--json", "--pairs", "10", teacher=teacher
    )
    assert again.json["requests"] == 0


def test_a_target_that_is_met_stays_met_by_the_same_pairs(manual, run_factory, teacher, tmp_path):
    made = {"FACTORY_UNANSWERABLE_SHARE": "0.3", "FACTORY_MULTI_SECTION_SHARE": "0.3"}
    for wanted in (23, 30, 37, 45, 52, 60):  # some of these cut what stands beside a pair in two
        (tmp_path / "out").mkdir(exist_ok=True)
        flags = ("--pairs", wanted, "--out", f"out/{wanted}")
        ran = run_factory(
            "generate", "--docs", "manual", "--teacher", SPEC, "--json", *flags, teacher=teacher, env=made
        )
        assert ran.json["pairs"]["accepted"] == wanted
        page = sorted(manual.glob("*.md"))[0]
        page.rename(page.with_stem(f"moved-{wanted}"))
        ran = run_factory(
            "generate", "--docs", "manual", "--teacher", SPEC, "--json", *flags, teacher=teacher, env=made
        )
        changes = ran.json["changes"]
        assert (ran.json["requests"], changes["pairs_added"], changes["pairs_retired"]) == (0, 0, 0)
        questions = {
            split: [
                row["messages"][-2]["content"].lower() for row in lines(tmp_path / f"out/{wanted}/latest/{split}.jsonl")
            ]
            for split in ("train", "test")
        }
        assert not [one for one in questions["test"] if any(one in row for row in questions["train"])]
