"""Asking over real HTTP on loopback: what is paid is kept and never paid twice, what breaks is retried, and it ends."""

import asyncio
import time
from collections import Counter
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from itertools import pairwise

import pytest

from generators.asking import AskConfig, Asker
from generators.errors import StoppedError, TeacherError
from generators.journal import Journal
from generators.prices import Prices
from generators.qa import QaConfig, build_requests
from generators.records import Chunk
from generators.teachers import open_teacher
from generators.teachers.scripted import Fault, ScriptedTeacher, default_script, with_faults
from generators.templates import load_template

SPEC = "openai/scripted-1"
TEMPLATE = load_template("facts")
QUICK = AskConfig(concurrency=4, backoff_seconds=0.01)
DEAR = Prices({SPEC: (0.0, 1_000_000.0)})  # a dollar a token


@pytest.fixture
def serve(monkeypatch):
    """Start a scripted teacher and lead the provider to it."""
    running = []

    def start(script=default_script, **settings):
        running.append(ScriptedTeacher(script, **settings).__enter__())
        for name, value in running[-1].environment().items():
            monkeypatch.setenv(name, value)
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def ask(tmp_path):
    """Ask all; (outcomes as they came, the asker). ``use(asker, outcomes)`` is called for each outcome."""

    def run(askings, config=QUICK, prices=None, use=None, teacher=lambda found: found, error=None):
        said, outcomes, unhandled = [], [], []

        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            journal, asked = Journal(tmp_path / "journal"), teacher(open_teacher(SPEC))
            asker = Asker(asked, journal, TEMPLATE, prices or Prices(), config, on_event=said.append)
            stream = asker.ask(askings)
            try:
                async for outcome in stream:
                    outcomes.append(outcome)
                    if use:
                        use(asker, outcomes)
            finally:
                await stream.aclose()
                await asked.aclose()
                journal.close()
                assert asyncio.all_tasks() == {asyncio.current_task()}
            return asker

        with pytest.raises(error) if error else nullcontext() as raised:
            asker = asyncio.run(main())
        assert unhandled == []
        return outcomes, raised if error else asker, said

    return run


def make(count):
    """One asking a chunk: each is a document of its own."""
    text = "Key {n} may send {n}0 requests a minute. The header `X-Rate-{n}` tells how many are left."
    chunks = [Chunk(f"c{n}", f"{n}.md", (f"Limits {n}",), text.format(n=n), 1, 2, 20) for n in range(1, count + 1)]
    return list(build_requests(chunks, TEMPLATE, QaConfig()))


def ordered(outcomes):
    return [replace(outcome, cached=False) for outcome in sorted(outcomes, key=lambda each: each.index)]


def charged(*servers):
    return Counter(charge.sha256 for server in servers for charge in server.ledger if charge.charged)


def test_each_asking_has_one_outcome_and_a_second_run_sends_nothing(serve, ask):
    server, askings = serve(), make(9)
    first, asker, _ = ask(askings)
    assert [outcome.asking for outcome in ordered(first)] == askings
    assert all(outcome.parsed.pairs and not outcome.cached for outcome in first)
    assert (asker.spent.requests, asker.spent.cached, server.requests) == (9, 0, 9)
    assert asker.spent.input_tokens > asker.spent.output_tokens > 0
    assert asker.spent.cost_usd is None
    second, asker, _ = ask(askings)
    assert (server.requests, asker.spent.requests, asker.spent.cached) == (9, 0, 9)
    assert all(outcome.cached for outcome in second)
    assert ordered(second) == ordered(first)


def test_outcomes_do_not_depend_on_the_order_of_arrival(serve, ask, tmp_path):
    def uneven(request):
        return Fault("slow", seconds=0.05 * (int(request.sha256, 16) % 4)) if request.attempt == 1 else None

    serve(uneven)
    askings = make(12)
    together, *_ = ask(askings, AskConfig(concurrency=12))
    (tmp_path / "journal").rename(tmp_path / "before")
    serve()
    alone, *_ = ask(askings, AskConfig(concurrency=1))
    assert [outcome.index for outcome in together] != list(range(12))
    assert [outcome.index for outcome in alone] == list(range(12))
    assert ordered(together) == ordered(alone)


def test_concurrency_is_reached_and_not_exceeded(serve, ask):
    server = serve(delay=0.05)
    ask(make(20), AskConfig(concurrency=5))
    assert server.most_in_flight == 5


def test_passing_faults_are_retried_and_nothing_is_asked_twice_without_need(serve, ask):
    server = serve(with_faults(0.5, 3))
    outcomes, asker, said = ask(make(12), AskConfig(concurrency=12, backoff_seconds=0.01, attempts=12))
    assert all(outcome.parsed.pairs for outcome in outcomes)
    assert server.requests > 12
    assert asker.spent.requests == 12
    assert 1 <= len(said) <= 3
    assert "trying again in" in said[0]


def test_a_fault_that_does_not_pass_costs_that_chunk_alone_and_can_be_tried_in_a_later_run(serve, ask):
    broken = serve(lambda asked: Fault("status", status=500) if "Key 3 " in asked.user else default_script(asked))
    outcomes, asker, _ = ask(make(9), replace(QUICK, attempts=3))
    [failed] = [outcome for outcome in outcomes if outcome.failed]
    [reject] = failed.parsed.rejects
    assert (failed.index, failed.parsed.pairs, asker.failing) == (2, [], False)
    assert (reject.stage, reject.reason, reject.chunk) == ("ask", "no_reply", "c3")
    assert "server_error" in reject.detail
    assert broken.requests == 8 + 3
    healed = serve()
    outcomes, *_ = ask(make(9))
    assert healed.requests == 1
    assert all(outcome.parsed.pairs for outcome in outcomes)


def test_a_request_that_cannot_be_answered_is_one_reject_and_is_not_retried(serve, ask):
    server = serve(lambda asked: Fault("context_overflow") if "Key 3 " in asked.user else default_script(asked))
    outcomes, *_ = ask(make(6))
    assert [(r.reason, r.chunk) for outcome in ordered(outcomes) for r in outcome.parsed.rejects] == [
        ("context_overflow", "c3")
    ]
    assert not any(outcome.failed for outcome in outcomes)
    assert server.requests == 6


def test_all_workers_wait_out_a_retry_after(serve, ask):
    server = serve(
        lambda asked: Fault("status", status=429, retry_after="1") if asked.n == 4 else default_script(asked)
    )
    ask(make(12))
    times = sorted(charge.at for charge in server.ledger)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    gap, after = max(zip(gaps, range(12), strict=True))
    assert gap >= 0.9
    assert after + 1 <= 4 + QUICK.concurrency
    assert server.requests == 13


def test_the_longest_retry_after_counts(serve, ask):
    waits = {1: "200", 2: "1200"}

    def script(request):
        wait = waits.get(request.n)
        return Fault("status", status=429, retry_after_ms=wait) if wait else default_script(request)

    server = serve(script, delay=0.1)
    ask(make(4), AskConfig(concurrency=2))
    times = sorted(charge.at for charge in server.ledger)
    assert times[2] - times[1] >= 1.2


def test_a_retry_after_beyond_all_patience_is_not_waited_out(serve, ask):
    serve(lambda _: Fault("status", status=429, retry_after="86400"))
    started = time.monotonic()
    outcomes, asker, _ = ask(make(30))
    assert time.monotonic() - started < 5
    assert asker.failing
    assert len(outcomes) < 15
    assert all(outcome.failed for outcome in outcomes)


def test_a_server_that_is_gone_ends_the_run_after_few_tries(serve, ask, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    outcomes, asker, said = ask(make(40), replace(QUICK, attempts=2))
    assert asker.failing
    assert {outcome.parsed.rejects[0].reason for outcome in outcomes} == {"no_reply"}
    assert len(outcomes) <= QUICK.concurrency
    for line in (asker.ending, said[0]):
        assert "no connection to 127.0.0.1:9 (Connection refused): check that the server runs there" in line
        assert "OPENAI_BASE_URL" in line


def test_a_server_that_goes_away_ends_the_run_after_some_tries(ask, monkeypatch):
    with ExitStack() as running:
        server = running.enter_context(ScriptedTeacher())
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)

        def use(_, outcomes):
            if len(outcomes) == 3:
                running.close()

        outcomes, asker, _ = ask(make(60), replace(QUICK, attempts=2), use=use)
    assert asker.failing
    assert 8 <= len(outcomes) <= 12 + 2 * QUICK.concurrency
    assert "more than half of the last requests failed (the last: " in asker.ending
    assert "no connection to 127.0.0.1" in asker.ending


def test_nothing_is_sent_inside_a_retry_after_while_a_feature_is_refused(serve, ask):
    """The refusal comes when others wait already: the simpler request waits with them."""

    def script(request):
        if "Key 2 " in request.user and request.schema:
            return Fault("schema_unsupported", late=0.3)
        if "Key 3 " in request.user and request.attempt == 1:
            return Fault("status", status=429, retry_after="1")
        return default_script(request)

    server = serve(script)
    outcomes, *_ = ask(make(8), replace(QUICK, concurrency=2))
    assert all(outcome.parsed.pairs for outcome in outcomes)
    limited = next(charge.at for charge in server.ledger if charge.status == 429)
    refused = next(charge.at for charge in server.ledger if charge.status == 400)
    assert abs(limited - refused) < 0.2
    assert [each.at for each in server.ledger if limited + 0.05 < each.at < limited + 1] == []


def test_a_feature_is_refused_once_and_not_to_all(serve, ask):
    server = serve(lambda asked: Fault("schema_unsupported") if asked.schema else default_script(asked))
    outcomes, asker, _ = ask(make(12), replace(QUICK, concurrency=12, attempts=1))
    assert all(outcome.parsed.pairs for outcome in outcomes)
    assert server.requests == 13
    assert (asker.spent.requests, asker.journal.doubts) == (12, [])


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden", "unknown_model", "insufficient_quota", "low_credit"])
def test_what_needs_a_person_ends_after_few_requests(serve, ask, fault):
    server = serve(lambda _: Fault(fault))
    outcomes, raised, _ = ask(make(40), error=TeacherError)
    assert (outcomes, raised.value.exit_code) == ([], 4)
    assert server.requests <= QUICK.concurrency


def test_when_the_quota_runs_out_what_is_in_flight_is_still_kept(serve, ask):
    askings = make(20)
    poor = serve(lambda asked: Fault("insufficient_quota") if asked.n == 7 else slowly(asked), delay=0.02)
    outcomes, _, said = ask(askings, error=TeacherError)
    assert len(outcomes) == poor.requests - 1 <= 7 + QUICK.concurrency
    assert "nothing more is sent; waiting for the replies in flight" in said
    rich = serve()
    outcomes, asker, _ = ask(askings)
    assert all(outcome.parsed.pairs for outcome in outcomes)
    assert max(charged(poor, rich).values()) == 1
    assert asker.spent.cached == sum(charged(poor).values()) > 0


def test_several_who_need_the_same_person_say_so_once(serve, ask):
    serve(lambda asked: Fault("unauthorized", late=0.3) if asked.n > 1 else default_script(asked))
    _, raised, said = ask(make(20), replace(QUICK, concurrency=20), error=TeacherError)
    assert raised.value.exit_code == 4
    assert said == ["nothing more is sent; waiting for the replies in flight"]


def slowly(request):
    return Fault("slow", seconds=0.2) if request.attempt == 1 else default_script(request)


@pytest.mark.parametrize("way", ["leaves", "breaks"])
def test_when_the_caller_leaves_early_no_paid_reply_is_lost(serve, ask, way):
    askings = make(20)

    def use(_, outcomes):
        if len(outcomes) == 3:
            raise KeyError(way)

    first = serve(delay=0.05)
    ask(askings, use=use, error=KeyError)
    assert first.requests <= 3 + 2 * QUICK.concurrency
    second = serve()
    ask(askings)
    assert max(charged(first, second).values()) == 1
    assert first.requests + second.requests == 20


def test_stop_sends_nothing_more_and_waits_for_what_is_in_flight(serve, ask):
    server = serve(delay=0.1)
    outcomes, asker, _ = ask(make(20), use=lambda asker, _: asker.stop.set())
    assert len(outcomes) == server.requests == asker.spent.requests <= 2 * QUICK.concurrency
    assert all(outcome.parsed.pairs for outcome in outcomes)


def test_stop_ends_pauses(serve, ask):
    def script(request):
        return default_script(request) if "Key 1 " in request.user else Fault("status", status=429, retry_after="60")

    server = serve(script)
    started = time.monotonic()
    ask(make(20), use=lambda asker, _: asyncio.get_running_loop().call_later(0.3, asker.stop.set))
    assert time.monotonic() - started < 5
    assert server.requests <= 2 * QUICK.concurrency


def test_the_cap_is_kept_but_for_what_is_in_flight(serve, ask):
    server = serve(delay=0.02)
    [one], asker, _ = ask(make(1), prices=DEAR)
    cost = asker.spent.cost_usd
    assert (cost, one.cached) == (asker.spent.output_tokens, False)
    outcomes, asker, _ = ask(make(40), replace(QUICK, max_cost=5.5 * cost), DEAR)
    assert asker.over_budget
    assert asker.spent.cached == 1
    assert 6 <= asker.spent.requests <= 6 + QUICK.concurrency
    assert len(outcomes) == asker.spent.requests + 1
    before = server.requests
    had = len(outcomes)
    outcomes, asker, _ = ask(make(40), replace(QUICK, max_cost=0.0), DEAR)
    assert (len(outcomes), asker.over_budget, server.requests) == (had, True, before)
    assert all(outcome.cached for outcome in outcomes), "what is in the journal costs nothing"
    assert asker.ending.startswith("stopped at --max-cost 0.0 USD")


@pytest.mark.parametrize("cap", ["max_cost", "max_run_tokens"])
def test_a_cap_that_the_last_request_meets_has_cut_nothing_short(serve, ask, cap):
    serve()
    _, asker, _ = ask(make(3), prices=DEAR)
    spent = asker.spent.cost_usd if cap == "max_cost" else asker.spent.input_tokens + asker.spent.output_tokens
    (asker.journal.folder).rename(asker.journal.folder.parent / "before")
    for count, ending in ((3, ""), (4, "stopped at --max-")):
        outcomes, asker, _ = ask(make(count), replace(QUICK, concurrency=1, **{cap: spent}), DEAR)
        assert (len(outcomes), asker.ending[:17]) == (3, ending)
        (asker.journal.folder).rename(asker.journal.folder.parent / f"after{count}")


class Silent:
    """A teacher whose server does not say how many tokens it counted."""

    def __init__(self, teacher):
        self.spec, self.is_local, self.slots = teacher.spec, False, 0
        self.send, self.aclose, self._read = teacher.send, teacher.aclose, teacher.read

    def read(self, body):
        return replace(self._read(body), input_tokens=None, output_tokens=None)


def test_the_cap_holds_against_a_server_that_counts_no_tokens(serve, ask):
    serve()
    _, asker, _ = ask(make(40), replace(QUICK, max_cost=200.0), DEAR, teacher=Silent)
    assert asker.over_budget
    assert asker.spent.requests <= 10 + QUICK.concurrency
    assert asker.spent.cost_usd is None


def test_an_unusable_reply_is_repaired_once_with_what_was_wrong(serve, ask):
    seen = []

    def script(request):
        seen.append(request)
        hopeless = len(request.messages) == 2 or "Key 2 " in request.messages[1][1]
        return Fault("not_json") if hopeless else default_script(request)

    server = serve(script)
    outcomes, asker, _ = ask(make(2))
    first, second = ordered(outcomes)
    assert (server.requests, asker.spent.requests) == (4, 4)
    assert [reject.reason for reject in first.parsed.rejects] == ["invalid_json"]
    assert first.parsed.pairs
    assert [reject.reason for reject in second.parsed.rejects] == ["invalid_json"] * 2
    assert not second.parsed.pairs
    repair = next(request for request in seen if len(request.messages) == 4)
    assert repair.messages[2] == ("assistant", "Sure! Here are the facts you asked for.")
    assert "invalid_json" in repair.user
    ask(make(2))
    assert server.requests == 4


@pytest.mark.parametrize(("fault", "reason"), [("refusal", "refused"), ("content_filter", "content_filter")])
def test_a_refusal_is_a_reject_and_not_argued_with(serve, ask, fault, reason):
    server = serve(lambda _: Fault(fault))
    [outcome], *_ = ask(make(1))
    assert [(reject.stage, reject.reason) for reject in outcome.parsed.rejects] == [("ask", reason)]
    assert (server.requests, outcome.failed) == (1, False)


def test_whole_facts_of_a_cut_reply_are_kept(serve, ask):
    serve(lambda _: Fault("truncated"))
    [outcome], *_ = ask(make(1))
    assert "truncated" in {reject.reason for reject in outcome.parsed.rejects}


@pytest.mark.parametrize("fault", ["garbage", "html", "invalid_utf8"])
def test_a_body_that_is_no_reply_is_kept_and_asked_for_again_by_a_later_run(serve, ask, tmp_path, fault):
    server = serve(lambda asked: Fault(fault) if asked.attempt == 1 else default_script(asked))
    [outcome], asker, _ = ask(make(1))
    assert outcome.failed
    assert [reject.reason for reject in outcome.parsed.rejects] in (["bad_reply"], ["invalid_utf8"])
    assert (len(Journal(tmp_path / "journal")), asker.spent.requests) == (1, 1)
    [outcome], *_ = ask(make(1))
    assert (bool(outcome.parsed.pairs), server.requests) == (True, 2)
    ask(make(1))
    assert server.requests == 2


def test_an_error_in_a_worker_surfaces_and_leaves_no_task(serve, ask):
    server = serve(delay=0.05)

    def askings():
        yield from make(6)
        raise ZeroDivisionError

    outcomes, *_ = ask(askings(), error=ZeroDivisionError)
    assert len(outcomes) == server.requests == 6


def test_a_journal_that_cannot_be_written_stops_the_run(serve, ask, tmp_path):
    server = serve()

    def askings():
        (tmp_path / "journal").write_text("in the way")
        yield from make(40)

    outcomes, raised, _ = ask(askings(), error=StoppedError)
    assert (outcomes, raised.value.exit_code) == ([], 6)
    assert server.requests <= QUICK.concurrency


def test_cancelling_is_immediate(serve, tmp_path):
    serve(delay=30)

    async def main():
        asker = Asker(open_teacher(SPEC), Journal(tmp_path / "journal"), TEMPLATE, Prices(), QUICK)

        async def consume():
            async for _ in asker.ask(make(9)):
                pass

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asker.teacher.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 5


def test_cached_replies_do_not_hold_up_the_loop(serve, ask):
    serve()
    askings = make(300)
    ask(askings, AskConfig(concurrency=50))
    read = []
    ask(askings, use=lambda asker, _: read.append(asker.spent.cached))
    assert read[0] <= 2 * QUICK.concurrency
    assert read[-1] == 300


def test_facts_of_neighbours_in_one_request_go_to_their_chunks(serve, ask):
    texts = [f"Key {n} may send {n}0 requests a minute." for n in (1, 2, 3)]
    chunks = [Chunk(f"c{n}", "a.md", ("Limits",), text, n, n, 12) for n, text in enumerate(texts)]
    facts = [{"kind": "limit", "answer": text, "quotes": [text], "questions": [f"{text[:5]}?"]} for text in texts]
    server = serve(lambda _: {"facts": facts[::-1]})
    [outcome], *_ = ask(build_requests(chunks, TEMPLATE, QaConfig()))
    assert [(pair.chunk, pair.answer) for pair in outcome.parsed.pairs] == list(
        zip(["c2", "c1", "c0"], texts[::-1], strict=True)
    )
    assert server.requests == 1
