"""Whether a student says what the documents say now: told apart by rules, and asked through the command line."""

import json

import pytest

from trainers.freshness import Changed, freshness, which

LIMIT = Changed("How many rows does a page hold?", "A page holds 20 rows.", "A page holds 50 rows.", "c")
FLAG = Changed("Which option turns retries off?", "Pass `--no-retry`.", "Pass `--retries=0`.", "d")
WORDS = Changed(
    "What happens when the token expires?",
    "The call fails and the client is locked out for a day.",
    "The client asks for a fresh token by itself and repeats the call.",
    "e",
)


@pytest.mark.parametrize(
    ("changed", "answer", "expected"),
    [
        (LIMIT, "A page holds 50 rows.", "new"),
        (LIMIT, "It is 20 rows.", "old"),
        (LIMIT, "A page holds 35 rows.", "neither"),
        (LIMIT, "I don't know.", "neither"),
        (FLAG, "Use `--retries=0`.", "new"),
        (FLAG, "That is `--no-retry`.", "old"),
        (WORDS, "The client asks for a fresh token by itself and repeats the call.", "new"),
        (WORDS, "The call fails and the client is locked out for a day.", "old"),
        (WORDS, "Bananas are yellow.", "neither"),
    ],
)
def test_new_old_or_neither(changed, answer, expected):
    assert which(changed, answer) == expected


def test_shares_add_up_and_have_intervals():
    found = freshness([LIMIT, FLAG, WORDS], ["A page holds 50 rows.", "That is `--no-retry`.", "Bananas."])
    assert [each.which for each in found.told] == ["new", "old", "neither"]
    assert sum(share.value for share in found.shares.values()) == pytest.approx(1)
    assert all(0 <= share.low <= share.value <= share.high <= 1 for share in found.shares.values())


def _score(run_factory, *flags):
    return run_factory("score", "--freshness", "--json", *flags)


def test_without_an_edit_there_is_nothing_to_ask(manual, run_factory, teacher):
    assert _score(run_factory).code == 2
    run_factory("generate", "--docs", "manual", "--teacher", "openai/scripted-1", teacher=teacher)
    ran = _score(run_factory)
    assert (ran.code, "no edit has changed an answer of v0001" in ran.err) == (2, True)
    assert "there is no such version" in _score(run_factory, "--since", "v0009").err


def test_a_student_is_asked_what_an_edit_changed(manual, run_factory, teacher, tmp_path, monkeypatch):
    from factory.candidate import Candidate
    from factory.freshen import run_freshness

    generate = ("generate", "--docs", "manual", "--teacher", "openai/scripted-1")
    assert run_factory(*generate, teacher=teacher).code == 0
    page = sorted(manual.glob("*.md"))[0]
    text = page.read_text("utf-8")
    page.write_text(text.replace("11 and it is counted", "4711 and it is counted"), "utf-8")
    assert run_factory(*generate, teacher=teacher).code == 0
    latest = tmp_path / "factory-data" / "latest"
    known = {}
    for name in ("train", "validation", "test"):
        for line in (latest / f"{name}.jsonl").read_text("utf-8").splitlines():
            chat = json.loads(line)["messages"]
            known[chat[-2]["content"]] = chat[-1]["content"]

    class Knowing:
        """Says what the documents say now, where it knows the question."""

        spec = "student/s0001"

        def answer_all(self, conversations, max_tokens):
            return [known.get(chat[-1].content, "No idea.") for chat in conversations]

    monkeypatch.chdir(tmp_path)
    find = lambda workspace: Candidate("s0001", latest, {"student": Knowing})  # noqa: E731
    told = json.loads(run_freshness({}, since="", quiet=True, as_json=True, find=find).text)
    assert told["questions"] >= 1
    assert told["old"]["share"] == 0.0
    assert told["new"]["share"] > 0.5
    assert {"4711" in each["new"] for each in told["answers"]} == {True}
    table = run_freshness({}, since="v0001", quiet=True, as_json=False, find=find).text
    assert "new" in table
    assert "of " in table
