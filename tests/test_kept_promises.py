"""Small promises of asking, spending and keeping, each of which a change of one word would break."""

import json
import time
from dataclasses import replace
from itertools import pairwise

import pytest
import test_asking
from test_asking import DEAR, QUICK, SPEC, TEMPLATE, make
from test_journal import ENTRY, written
from test_second_tries import ask as ask_chunks  # noqa: F401 - a fixture
from test_second_tries import chunk
from test_store import ROWS, publish

from generators.errors import TeacherError
from generators.journal import Damage, Journal
from generators.prices import Prices
from generators.records import Pair
from generators.spending import Budget, Spent
from generators.teachers import Message, Reply, Request
from generators.teachers.scripted import Fault, default_script

ask, serve = test_asking.ask, test_asking.serve
REQUEST = Request((Message("user", "word " * 100),), max_tokens=40)


def reply(prompt=None, written=None):
    return Reply("four words of text", "stop", "m", prompt, written)


# Money.


def test_a_price_that_is_not_known_counts_for_nothing_and_tokens_count_all_the_same():
    budget = Budget(Prices(), "openai/nobody-knows-1", max_cost=0.5, max_tokens=100)
    budget.commit(REQUEST, reply(30, 30), replace(ENTRY, cost_usd=None))
    assert budget.reached == ""
    budget.commit(REQUEST, reply(30, 10), replace(ENTRY, cost_usd=None))
    assert budget.reached == "--max-tokens 100"
    budget.commit(REQUEST, reply(1, 1), replace(ENTRY, cost_usd=0.5))
    assert budget.reached == "--max-cost 0.5 USD"


def test_what_was_never_seen_costs_as_much_as_replies_do_or_may():
    budget = Budget(Prices(), SPEC, max_tokens=1000)
    budget.commit_unseen(REQUEST)
    first = budget._tokens
    assert 40 < first <= 40 + 200
    budget.commit(REQUEST, reply(10, 6), replace(ENTRY, cost_usd=None))
    budget.commit(REQUEST, reply(10, 8), replace(ENTRY, cost_usd=None))
    before = budget._tokens
    budget.commit_unseen(REQUEST)
    assert budget._tokens - before == first - 40 + 7


def test_without_a_cap_nothing_is_counted():
    budget = Budget(Prices(), SPEC)
    budget.commit(REQUEST, reply(), replace(ENTRY, cost_usd=9.0))
    budget.commit_unseen(REQUEST)
    assert (budget.reached, budget._tokens, budget._cost) == ("", 0, 0.0)


def test_spent_adds_up_and_an_unknown_price_makes_the_sum_unknown():
    spent = Spent()
    spent.add(ENTRY)
    spent.add(ENTRY)
    assert (spent.requests, spent.input_tokens, spent.output_tokens) == (2, 20, 40)
    assert (spent.seconds, spent.cost_usd, spent.cached, spent.maybe_paid) == (2.5, 1.0, 0, 0)
    spent.add(replace(ENTRY, cost_usd=None))
    spent.add(ENTRY)
    assert (spent.requests, spent.cost_usd) == (4, None)


# Sending.


def test_a_kept_reply_says_who_was_asked_when_and_in_which_run(serve, ask):
    serve()
    started = time.time()
    for run, count in ((1, 2), (2, 3)):
        _, asker, _ = ask(make(count))
        assert {entry.run for entry in asker.journal.entries()} == set(range(1, run + 1))
    for entry in asker.journal.entries():
        assert (entry.teacher, entry.model, entry.failure, entry.detail) == (SPEC, "scripted-1", "", "")
        assert started - 1 < entry.received < time.time() + 1
        assert 0 < entry.latency < 30


class Uncounted(test_asking.Silent):
    """Without token counts."""


def test_tokens_that_were_not_counted_are_none_of_ours(serve, ask):
    serve()
    _, asker, _ = ask(make(1), teacher=Uncounted)
    [entry] = asker.journal.entries()
    assert (entry.input_tokens, entry.output_tokens, entry.cost_usd) == (0, 0, None)


def test_between_tries_there_is_a_pause_that_doubles(serve, ask):
    server = serve(lambda asked: Fault("status", status=500) if asked.n < 4 else default_script(asked))
    _, asker, said = ask(make(1), replace(QUICK, backoff_seconds=0.2))
    times = sorted(charge.at for charge in server.ledger)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert [least <= pause for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True)] == [True] * 3
    assert said == ["server_error: trying again in 0 s (1 of 6)"]
    assert [doubt.reason for doubt in asker.journal.doubts] == ["server_error"] * 3


def test_what_needs_a_person_is_noted_and_not_in_doubt(serve, ask, tmp_path):
    serve(lambda _: Fault("unauthorized"))
    ask(make(1), error=TeacherError)
    [segment] = (tmp_path / "journal").iterdir()
    noted = [json.loads(line[9:]) for line in segment.read_bytes().splitlines()]
    assert [line.get("reason") for line in noted] == [None, "needs_person"]
    assert noted[1]["maybe_charged"] is False
    assert Journal(tmp_path / "journal").doubts == []


def test_a_cap_met_while_a_feature_is_refused_cuts_short(serve, ask):
    def script(request):
        return Fault("schema_unsupported", late=0.5) if "Key 3 " in request.user else default_script(request)

    serve()
    _, asker, _ = ask(make(1), prices=DEAR)
    cost = asker.spent.cost_usd
    asker.journal.folder.rename(asker.journal.folder.parent / "before")
    serve(script, delay=0.05)
    outcomes, asker, _ = ask(make(3), replace(QUICK, concurrency=2, max_cost=1.5 * cost), DEAR)
    assert len(outcomes) == 2
    assert asker.ending.startswith("stopped at --max-cost")


# Asking.


def test_only_what_is_too_long_is_asked_in_halves(ask_chunks):  # noqa: F811
    [outcome], _, server = ask_chunks(lambda _: Fault("content_filter_error"), chunk(1, 6))
    assert (server.requests, [reject.reason for reject in outcome.parsed.rejects]) == (1, ["content_filter"])


def test_if_a_second_try_gets_no_answer_the_pairs_of_the_first_stay_and_a_later_run_asks_again(ask_chunks):  # noqa: F811
    def script(request):
        return Fault("truncated") if request.n == 1 else Fault("status", status=503, retry_after_ms="1")

    [outcome], _, server = ask_chunks(script, chunk(1, 6), attempts=2)
    assert (server.requests, outcome.failed, outcome.cached) == (3, True, False)
    assert len(outcome.parsed.pairs) > 0
    assert all(isinstance(pair, Pair) for pair in outcome.parsed.pairs)
    [outcome], _, server = ask_chunks(default_script, chunk(1, 6))
    assert (server.requests, outcome.failed) == (1, False)


def test_pairs_name_their_teacher_and_their_template(serve, ask):
    serve()
    [outcome], *_ = ask(make(1))
    assert {(pair.teacher, pair.template, pair.chunk) for pair in outcome.parsed.pairs} == {
        (SPEC, TEMPLATE.sha256, "c1")
    }


# Keeping.


def test_damage_says_what_and_where(tmp_path):
    segment = written(tmp_path / "journal", ENTRY, replace(ENTRY, request="b" * 64))
    data = segment.read_bytes()
    segment.write_bytes(data[:20] + b"!" + data[21:-1])
    assert Journal(segment.parent).damage == [
        Damage(segment.name, 1, "checksum does not match"),
        Damage(segment.name, 2, "cut short"),
    ]


def test_text_is_kept_as_it_is_written(tmp_path):
    segment = written(tmp_path / "journal", replace(ENTRY, body="Größe 限制".encode()))
    assert "Größe 限制".encode() in segment.read_bytes()


@pytest.mark.parametrize("prompt", ["You help.", ""])
def test_rows_are_chats_of_system_user_and_assistant(tmp_path, prompt):
    from factory.store import Workspace

    path = Workspace(tmp_path).publish(ROWS, (), {"documents": [], "asked": {}}, "# Card\n", prompt)
    lines = [json.loads(line) for line in (path / "train.jsonl").read_bytes().splitlines()]
    assert [list(line) for line in lines] == [["messages"]] * len(lines)
    roles = ["system", "user", "assistant"] if prompt else ["user", "assistant"]
    assert [[turn["role"] for turn in line["messages"]] for line in lines] == [roles] * len(lines)
    assert prompt in (lines[0]["messages"][0]["content"], "")


def test_manifests_are_sorted_and_readable(tmp_path):
    text = (publish(tmp_path) / "manifest.json").read_text()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_tenth_version_follows_the_ninth(tmp_path):
    publish(tmp_path)
    (tmp_path / "versions" / "v0001").rename(tmp_path / "versions" / "v0009")
    (tmp_path / "versions" / "v00x").mkdir()
    assert publish(tmp_path).name == "v0010"
