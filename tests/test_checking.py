"""A second look at each pair: who is asked, what is refuted, and that nothing is bought twice."""

import json
import shutil

import pytest
from conftest import answer, facts_in
from test_compose import SPEC, lines, version


def checking(doubted=(), lost=(), votes=None):
    """A script that answers checks too: pairs whose question holds a word of ``doubted`` are not supported."""
    asked = []

    def script(request):
        if request.schema is None or "supported" not in request.schema.get("properties", {}):
            if request.schema is None:  # the question again, with its section
                question = request.user.strip().splitlines()[-1]
                asked.append(question)
                right = [fact["answer"] for fact in facts_in(request.user) if question in fact["questions"]]
                return "It is 99 or more." if any(word in question for word in doubted) else right[0]
            return answer(request)
        question = request.user.split("<question>")[1].split("</question>")[0]
        asked.append(question)
        if any(word in question for word in lost):
            return "that is not JSON"
        against = any(word in question for word in doubted)
        if votes is not None:
            against = votes[len(asked) % len(votes)]
        return json.dumps({"why": "it is not there", "supported": "no" if against else "yes"})

    script.asked = asked
    return script


def _generate(run_factory, teacher, *flags, env=None):
    ran = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--json", *flags, teacher=teacher, env=env)
    return ran, json.loads(ran.out.splitlines()[-1]) if ran.out else None


def _question_word(rows):
    """A word that some questions hold, not all."""
    words = {word for row in rows for word in row["question"].split()}
    counts = {word: sum(word in row["question"] for row in rows) for word in words}
    return min((word for word in counts if 2 <= counts[word] < len(rows) / 2), key=lambda word: (-counts[word], word))


@pytest.fixture
def doubted(manual, run_factory, serve, tmp_path):
    """A word of some accepted questions, found without a check."""
    _generate(run_factory, serve())
    word = _question_word(version(tmp_path))
    shutil.rmtree(tmp_path / "factory-data")
    return word


def test_what_a_checker_refutes_is_rejected_with_its_reason(doubted, run_factory, serve, tmp_path):
    script = checking(doubted=(doubted,))
    teacher = serve(script)
    ran, result = _generate(run_factory, teacher, "--check", "openai/checker")
    assert (ran.code, result["pairs"]["rejected"]["unsupported"] > 0) == (0, True)
    assert not [row for row in version(tmp_path) if doubted in row["question"]]
    rejected = lines(tmp_path / "factory-data" / "latest" / "rejected.jsonl")
    found = next(reject for reject in rejected if reject["reason"] == "unsupported")
    assert (found["stage"], "openai/checker, 1 of 1 votes: it is not there") == ("check", found["detail"])
    pairs = result["pairs"]
    assert pairs["candidates"] == pairs["accepted"] + sum(pairs["rejected"].values())
    manifest = json.loads((tmp_path / "factory-data" / "latest" / "manifest.json").read_text("utf-8"))
    assert manifest["check"] == {"by": "openai/checker", "how": "judge", "votes": 1}
    before = len(script.asked)
    ran, again = _generate(run_factory, teacher, "--check", "openai/checker")
    assert (ran.code, again["version"], again["requests"], len(script.asked)) == (0, "v0001", 0, before)


def test_the_teacher_can_check_itself_by_answering_again(doubted, run_factory, serve, tmp_path):
    script = checking(doubted=(doubted,))
    env = {"FACTORY_CHECK_HOW": "round_trip"}
    ran, result = _generate(run_factory, serve(script), "--check", "teacher", env=env)
    assert (ran.code, result["pairs"]["rejected"]["other_answer"] > 0) == (0, True)
    assert not [row for row in version(tmp_path) if doubted in row["question"]]
    assert version(tmp_path)


def test_a_majority_of_votes_decides(manual, run_factory, serve):
    script = checking(votes=[True, False, False])
    env = {"FACTORY_CHECK_VOTES": "3"}
    ran, result = _generate(run_factory, serve(script), "--check", "openai/checker", "--pairs", "10", env=env)
    assert (ran.code, result["pairs"]["accepted"]) == (0, 10)
    assert "unsupported" not in result["pairs"]["rejected"]
    assert len(script.asked) % 3 == 0


def test_a_reply_that_says_nothing_is_no_support(doubted, run_factory, serve):
    _, result = _generate(run_factory, serve(checking(lost=(doubted,))), "--check", "openai/checker")
    assert result["pairs"]["rejected"]["unsupported"] > 0


def test_a_cap_that_is_met_while_checking_leaves_the_rest_for_the_next_run(manual, run_factory, serve, tmp_path):
    teacher = serve(checking())
    ran, first = _generate(run_factory, teacher, "--check", "openai/checker", "--max-tokens", "60000")
    assert (ran.code, first["pairs"]["rejected"].get("unchecked", 0) > 0) == (3, True)
    ran, second = _generate(run_factory, teacher, "--check", "openai/checker")
    assert ran.code == 0
    assert "unchecked" not in second["pairs"]["rejected"]
    assert second["pairs"]["accepted"] > first["pairs"]["accepted"]


def test_a_way_of_checking_that_there_is_none(manual, run_factory, teacher):
    ran, _ = _generate(run_factory, teacher, "--check", "teacher", env={"FACTORY_CHECK_HOW": "guess"})
    assert ran.code == 2
    assert "check_how = 'guess' is none of: judge, round_trip, both" in ran.err
