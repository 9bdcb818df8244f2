"""What a bad reply leads to: halves of what is too long, more room for what was cut, a loop told from want of room."""

import asyncio
import random
import resource
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.asking import AskConfig, Asker
from generators.halves import halves
from generators.journal import Journal
from generators.loops import ends_in_loop
from generators.prices import Prices
from generators.qa import QaConfig, build_requests, roomier_request
from generators.records import Chunk
from generators.teachers import open_teacher
from generators.teachers.scripted import Fault, ScriptedTeacher, default_script
from generators.templates import load_template

SPEC = "openai/scripted-1"
TEMPLATE = load_template("facts")
PARAGRAPH = (
    "Key {n} of page {page} may send {n}0 requests a minute, and the header `X-Rate-{n}` tells how many are left. "
    "Whoever sends more than that gets status 429 and has to wait for {n} seconds before the next one.\n\n"
)


def chunk(page, paragraphs):
    text = "".join(PARAGRAPH.format(n=n, page=page) for n in range(1, paragraphs + 1)).strip()
    return Chunk(f"page{page}", f"{page}.md", (f"Limits {page}",), text, 1, 2 * paragraphs, 50 * paragraphs)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask about chunks: (outcomes in order, asker, server)."""

    def run(script, *chunks, **settings):
        askings = list(build_requests(chunks, TEMPLATE, QaConfig()))
        config = AskConfig(**{"concurrency": 4, "backoff_seconds": 0.01, **settings})

        async def main():
            teacher, journal = open_teacher(SPEC), Journal(tmp_path / "journal")
            asker = Asker(teacher, journal, TEMPLATE, Prices(), config)
            outcomes = [outcome async for outcome in asker.ask(askings)]
            await teacher.aclose()
            journal.close()
            return sorted(outcomes, key=lambda outcome: outcome.index), asker

        with ScriptedTeacher(script) as server:
            for name, value in server.environment().items():
                monkeypatch.setenv(name, value)
            return *asyncio.run(main()), server

    return run


def up_to(words):
    """A teacher whose context holds so many words of a document."""

    def script(request):
        return Fault("context_overflow") if len(request.user.split()) > words else default_script(request)

    return script


# Too long.


def test_a_section_that_is_too_long_is_asked_in_halves_of_halves(ask):
    long = chunk(1, 40)
    [whole], _, server = ask(default_script, long)
    words = len(whole.asking.request.messages[1].content.split())
    [outcome], asker, server = ask(up_to(words // 3), chunk(2, 40))
    assert outcome.parsed.rejects == []
    assert {pair.chunk for pair in outcome.parsed.pairs} == {"page2"}
    assert len(outcome.parsed.pairs) > len(whole.parsed.pairs), "each piece is asked for facts of its own"
    assert len({pair.id for pair in outcome.parsed.pairs}) == len(outcome.parsed.pairs)
    assert (server.requests, asker.spent.requests) == (1 + 2 + 4, 4)
    assert not outcome.failed


def test_sections_that_share_a_request_are_asked_apart_first(ask):
    chunks = [Chunk(f"c{n}", "a.md", (f"L{n}",), PARAGRAPH.format(n=n, page=1), n, n, 50) for n in range(1, 5)]
    [together], *_ = ask(default_script, *chunks)
    assert len(together.asking.chunks) == 4
    others = [Chunk(f"d{n}", "b.md", (f"L{n}",), PARAGRAPH.format(n=n, page=2), n, n, 50) for n in range(1, 5)]
    words = len(together.asking.request.messages[1].content.split())
    [outcome], _, server = ask(up_to(words * 2 // 3), *others)
    assert (outcome.parsed.rejects, server.requests) == ([], 3)
    assert {pair.chunk for pair in outcome.parsed.pairs} == {"d1", "d2", "d3", "d4"}


def test_what_cannot_be_cut_small_enough_is_a_reject(ask):
    [outcome], _, server = ask(up_to(0), chunk(1, 40))
    assert {(reject.reason, reject.chunk) for reject in outcome.parsed.rejects} == {("context_overflow", "page1")}
    assert server.requests == 1 + 2 + 4 + 8 + 16
    [outcome], _, server = ask(up_to(0), chunk(2, 1))
    assert ([reject.reason for reject in outcome.parsed.rejects], server.requests) == (["context_overflow"], 1)


@given(st.lists(st.sampled_from(["word ", "A sentence. ", "line\n", "para\n\n", "x" * 60]), min_size=1, max_size=80))
def test_halves_are_all_of_the_text_and_keep_the_id(pieces):
    text = "".join(pieces)
    found = halves([Chunk("c", "a.md", ("A",), text, 1, 9, 99)])
    if not found:
        assert len(text.strip()) < 900 or "x" * 200 in text
        return
    [[first], [second]] = found
    assert {first.id, second.id} == {"c"}
    assert "".join((first.text + second.text).split()) == "".join(text.split())
    assert min(len(first.text), len(second.text)) >= len(text) / 4 - 3


# Cut.


def test_a_cut_reply_is_asked_for_again_with_twice_the_room_and_gives_each_pair_once(ask):
    rooms = []

    def script(request):
        rooms.append(request.body["max_tokens"])
        return Fault("truncated") if len(rooms) == 1 else default_script(request)

    [outcome], asker, server = ask(script, chunk(1, 6))
    assert (server.requests, asker.spent.requests, rooms[1]) == (2, 2, 2 * rooms[0])
    assert [reject.reason for reject in outcome.parsed.rejects] == ["truncated"]
    assert len({pair.id for pair in outcome.parsed.pairs}) == len(outcome.parsed.pairs) == 9
    again, asker, server = ask(script, chunk(1, 6))
    assert (again[0].parsed, server.requests) == (outcome.parsed, 0)


def test_whole_facts_of_a_reply_that_is_cut_twice_are_kept(ask):
    [outcome], _, server = ask(lambda _: Fault("truncated"), chunk(1, 6))
    assert server.requests == 2
    assert outcome.parsed.pairs
    assert {reject.reason for reject in outcome.parsed.rejects} == {"truncated"}


def test_if_more_room_is_refused_what_there_is_stays(ask):
    def script(request):
        return Fault("truncated") if script.first.setdefault("n", request.n) == request.n else Fault("status", 400)

    script.first = {}
    [outcome], _, server = ask(script, chunk(1, 6))
    assert (bool(outcome.parsed.pairs), outcome.failed) == (True, False)
    assert server.requests <= 3  # a refused schema is tried once without


def test_no_more_room_than_models_take(ask):
    [outcome], *_ = ask(lambda _: Fault("truncated"), chunk(1, 6))
    request = outcome.asking.request
    assert request.max_tokens * 2 <= 16_000
    widest = replace(outcome.asking, request=replace(request, max_tokens=16_000))
    assert roomier_request(widest) is None
    assert roomier_request(replace(widest, request=replace(request, max_tokens=9_000))).request.max_tokens == 16_000


# Loops.


def test_a_loop_costs_one_request_and_its_whole_facts_are_kept(ask):
    [outcome], _, server = ask(lambda _: Fault("loop"), chunk(1, 6))
    assert server.requests == 1
    assert outcome.parsed.pairs
    assert {reject.reason for reject in outcome.parsed.rejects} == {"loop"}


@pytest.mark.parametrize("piece", ["\n", "a", "ha ", " and so on", '{"kind": "limit", "answer": "60."}, ', PARAGRAPH])
def test_loops_of_any_length_are_seen_also_where_they_break_off(piece):
    start = json_like(40)
    assert ends_in_loop(start + piece * (1 + 1600 // len(piece)))
    assert ends_in_loop(start + piece * 400 + piece[: len(piece) // 2])
    assert not ends_in_loop(start + piece)


def json_like(count):
    chance = random.Random(4)
    return "".join(f'{{"answer": "The value {chance.random()} holds for n{n}."}}, ' for n in range(count))


def test_what_is_written_once_is_no_loop():
    assert not ends_in_loop(json_like(400))
    assert not ends_in_loop("")
    assert not ends_in_loop("-" * 100)
    assert not ends_in_loop(PARAGRAPH * 2)


# Empty, too few, too much.


def test_an_empty_reply_is_asked_for_once_more(ask):
    [outcome], _, server = ask(lambda asked: Fault("empty") if asked.n == 1 else default_script(asked), chunk(1, 3))
    assert (bool(outcome.parsed.pairs), server.requests) == (True, 2)
    [outcome], _, server = ask(lambda _: Fault("empty"), chunk(2, 3))
    assert ([reject.reason for reject in outcome.parsed.rejects], server.requests) == (["empty_reply"] * 2, 2)


def test_a_fact_with_too_few_wordings_keeps_those_it_has(ask):
    [outcome], _, server = ask(lambda _: Fault("few_wordings"), chunk(1, 3))
    facts = len(outcome.parsed.pairs)
    assert facts > 1
    assert [(r.reason, r.detail) for r in outcome.parsed.rejects] == [("too_few_wordings", "1 wordings of 3")] * facts
    assert server.requests == 1


def test_a_reply_of_a_gigabyte_is_not_read_and_not_bought_again(ask):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [outcome], asker, server = ask(lambda _: Fault("huge", size=1 << 30), chunk(1, 3))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert [reject.reason for reject in outcome.parsed.rejects] == ["oversized_reply"]
    assert (server.requests, asker.spent.maybe_paid) == (1, 1)
    [outcome], _, server = ask(default_script, chunk(1, 3))
    assert ([reject.reason for reject in outcome.parsed.rejects], server.requests) == (["oversized_reply"], 0)


# What it costs.


def test_a_cap_of_tokens_ends_the_run_but_for_what_is_in_flight(ask):
    chunks = [chunk(page, 2) for page in range(40)]
    _, asker, server = ask(default_script, *chunks[:2])
    each = (asker.spent.input_tokens + asker.spent.output_tokens) // 2
    outcomes, asker, server = ask(default_script, *chunks[2:], max_run_tokens=5 * each)
    assert asker.over_budget
    assert "--max-tokens" in asker.ending
    assert 5 <= server.requests <= 6 + 4
    assert len(outcomes) == server.requests
    assert all(outcome.parsed.pairs for outcome in outcomes)


def test_a_cap_holds_against_replies_that_never_arrive(ask):
    """Each attempt may be charged although nothing comes: the cap counts what it may cost."""
    chunks = [chunk(page, 2) for page in range(40)]
    _, asker, server = ask(lambda _: Fault("reset_after_headers"), *chunks, max_run_tokens=20_000, attempts=20)
    assert asker.over_budget
    assert server.requests < 20
    assert asker.spent.maybe_paid == server.requests


def test_spend_over_all_runs_is_what_the_provider_counted(ask, tmp_path):
    """Stopped by caps, resumed, with faults: the journal's tokens are those of the replies that were delivered."""
    billed = []

    def script(request):
        if request.attempt == 1 and random.Random(request.sha256).random() < 0.3:
            return Fault("status", 503)
        text = default_script(request)
        billed.append((sum(len(text) for _, text in request.messages) // 4 + 1, len(text) // 4 + 1))
        return text

    chunks = [chunk(page, 2) for page in range(30)]
    for cap in (8_000, 10_000, None):
        ask(script, *chunks, max_run_tokens=cap)
    journal = Journal(tmp_path / "journal")
    receipts = list(journal.receipts())
    assert len(receipts) == len(billed) == 30
    assert sorted((each.input_tokens, each.output_tokens) for each in receipts) == sorted(billed)
    assert {each.run for each in receipts} == {1, 2, 3}
    assert {each.model for each in receipts} == {"scripted-1"}
