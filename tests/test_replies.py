"""What becomes of a teacher's reply: pairs, and a reject with its reason for everything that is none."""

import json
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.records import Chunk
from generators.replies import Origin, parse_reply


def chunk(id_, text):
    return Chunk(id=id_, document="a.md", heading=("A",), text=text, first_line=1, last_line=2, tokens=9)


LIMITS = chunk("c1", "Each key may send 60 requests a minute. The header `X-Rate` tells how many are left.")
ERRORS = chunk("c2", "A missing key gives 401. Retry a 503 after the seconds in `Retry-After`.")
ONE, TWO = Origin([LIMITS], "openai/x", "t"), Origin([LIMITS, ERRORS], "openai/x", "t")


def fact(answer="60 requests a minute.", quotes=("Each key may send 60 requests a minute.",), questions=("How many?",)):
    return {"kind": "limit", "answer": answer, "quotes": list(quotes), "questions": list(questions)}


def reply(*facts):
    return json.dumps({"facts": facts}, ensure_ascii=False)


def reasons(parsed):
    return [reject.reason for reject in parsed.rejects]


def test_a_pair_for_each_wording_and_one_fact():
    parsed = parse_reply(reply(fact(questions=["How many?", "  What is the limit? "])), ONE)
    assert [pair.question for pair in parsed.pairs] == ["How many?", "What is the limit?"]
    assert len({pair.fact for pair in parsed.pairs}) == 1
    assert len({pair.id for pair in parsed.pairs}) == 2
    [pair, _] = parsed.pairs
    assert (pair.answer, pair.quotes) == ("60 requests a minute.", ("Each key may send 60 requests a minute.",))
    assert (pair.kind, pair.chunk, pair.teacher, pair.template) == ("limit", "c1", "openai/x", "t")
    assert (parsed.rejects, parsed.repairable) == ([], False)


BAD_ITEMS = {
    "no object": ("a string", "wrong_schema"),
    "null": (None, "wrong_schema"),
    "no quotes": ({"kind": "k", "answer": "a", "questions": ["q"]}, "wrong_schema"),
    "number": ({**fact(), "answer": 60}, "wrong_schema"),
    "blank answer": ({**fact(), "answer": "  "}, "wrong_schema"),
    "quotes as text": ({**fact(), "quotes": "Each key"}, "wrong_schema"),
    "no question": (fact(questions=[]), "no_question"),
    "blank questions": (fact(questions=["", " "]), "no_question"),
    "half a character": (fact(answer="60 \ud800"), "wrong_schema"),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
def test_a_bad_item_costs_only_itself(case):
    bad, reason = BAD_ITEMS[case]
    text = json.dumps({"facts": [fact(), bad, fact(answer="Sixty.", questions=["What limit?"])]})
    parsed = parse_reply(text, ONE)
    assert [pair.answer for pair in parsed.pairs] == ["60 requests a minute.", "Sixty."]
    assert [(reject.stage, reject.reason, reject.chunk) for reject in parsed.rejects] == [("parse", reason, "c1")]
    assert parsed.rejects[0].detail
    assert parsed.rejects[0].raw.encode()
    assert not parsed.repairable


def test_a_bad_question_costs_only_itself():
    parsed = parse_reply(reply(fact(questions=["How many?", "", 7, "How many?"])), ONE)
    assert [pair.question for pair in parsed.pairs] == ["How many?"]
    assert reasons(parsed) == ["wrong_schema", "wrong_schema", "exact_duplicate"]
    assert (parsed.rejects[2].pair, parsed.rejects[2].twin) == (parsed.pairs[0], parsed.pairs[0].id)


WHOLE = {
    "empty": (" \n", "empty_reply"),
    "prose": ("Sure! Here are the facts you asked for.", "invalid_json"),
    "no facts": ('{"facts": []}', "no_facts"),
    "empty list": ("[]", "no_facts"),
    "other object": ('{"pairs": [{"question": 1}]}', "wrong_schema"),
    "number": ("42", "wrong_schema"),
    "torn": ('{"facts": [{"ki', "invalid_json"),
    "braces": ("{" * 100_000, "invalid_json"),
    "brackets": ("[" * 100_000, "invalid_json"),
    "deep": ('{"facts": ' * 5_000 + "1" + "}" * 5_000, "invalid_json"),
    "huge number": ('{"facts": ' + "9" * 10_000 + "}", "invalid_json"),
    "surrogate": ('"\ud800"', "wrong_schema"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_an_unusable_reply_is_one_reject_and_worth_a_repair(case):
    text, reason = WHOLE[case]
    parsed = parse_reply(text, ONE)
    assert (parsed.pairs, reasons(parsed), parsed.repairable) == ([], [reason], True)
    assert parsed.rejects[0].raw == text.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([fact(), fact(answer="Sixty.")]),
        "Sure:\n```json\n" + reply(fact(), fact(answer="Sixty.")) + "\n```\nI hope {this} helps [you].",
        reply(fact()) + "\n" + reply(fact(answer="Sixty.")),
        "[" + reply(fact()) + "," + reply(fact(answer="Sixty.")) + "]",
        json.dumps(fact()) + "\n" + json.dumps(fact(answer="Sixty.")),
        reply(fact(), fact(answer="Sixty."))[:-2] + ",]}",
        str({"facts": [fact(), fact(answer="Sixty.")]}),
    ],
    ids=["list", "fenced", "two", "list of two", "lines", "comma", "quotes"],
)
def test_facts_are_found_in_whatever_they_come(text):
    parsed = parse_reply(text, ONE)
    assert [pair.answer for pair in parsed.pairs] == ["60 requests a minute.", "Sixty."]
    assert parsed.rejects == []


def test_line_breaks_in_strings_are_taken():
    [pair] = parse_reply(reply(fact()).replace("60 requests", "60\nrequests"), ONE).pairs
    assert pair.answer == "60\nrequests a minute."


def test_slips_are_mended_and_what_mending_would_lose_is_rejected():
    good, slip = json.dumps(fact()), '{"kind":"k","answer":"say "hello" now","quotes":["q"],"questions":["Say?"]}'
    parsed = parse_reply(f'{{"facts":[{slip}, {good}]}}', ONE)
    assert {pair.answer for pair in parsed.pairs} == {'say "hello" now', "60 requests a minute."}
    lossy = '{"kind":"k","answer":"a", b and more","quotes":["q"],"questions":["Lossy?"]}'
    parsed = parse_reply(f'{{"facts":[{good}, {lossy}, {good}]}}', ONE)
    assert Counter(reasons(parsed)) == {"invalid_json": 1, "exact_duplicate": 1}
    assert "b and more" in next(reject.raw for reject in parsed.rejects if reject.reason == "invalid_json")


@settings(deadline=None)
@given(st.integers(1, 4), st.data())
def test_a_cut_reply_keeps_its_whole_facts(number, data):
    text = reply(*(fact(answer=f"{n} of {{ {number} }}", questions=[f"Q{n}?"]) for n in range(number)))
    at = data.draw(st.integers(1, len(text)))
    ends = [place + 1 for place in range(len(text)) if text[: place + 1].endswith('?"]}')]
    parsed = parse_reply(text[:at], ONE, cut=True)
    whole = sum(end <= at for end in ends)
    assert len(parsed.pairs) == whole
    torn = at not in (*ends, *(end + 1 for end in ends), *(end + 2 for end in ends), len(text))
    assert reasons(parsed) == (["truncated"] if torn or not whole else [])
    assert parsed.repairable == (not whole)


def test_a_broken_tail_is_not_completed_by_guessing():
    parsed = parse_reply('{"facts":[' + json.dumps(fact()) + ',{"kind":"k","answer":"The limit is 10', ONE)
    assert [pair.answer for pair in parsed.pairs] == ["60 requests a minute."]
    assert reasons(parsed) == ["invalid_json"]
    assert "The limit is 10" in parsed.rejects[0].raw


def test_facts_of_a_shared_request_land_where_their_quotes_stand():
    near = fact("401.", ["a missing key gives **401**"], ["What?"])
    both = fact("Seconds.", ["Retry a 503 after the seconds", "A missing key gives 401."], ["Which?"])
    nowhere = fact("Hm.", ["Nothing of the kind at all."], ["Where?"])
    parsed = parse_reply(reply(near, fact(), both, nowhere), TWO)
    assert [pair.chunk for pair in parsed.pairs[:3]] == ["c2", "c1", "c2"]
    assert len(parsed.pairs) == 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)
any_fact = st.fixed_dictionaries(
    {"kind": json_values, "answer": json_values, "quotes": json_values, "questions": json_values}
)


@settings(deadline=None)
@given(st.lists(st.one_of(json_values, any_fact, st.integers().map(lambda n: fact(questions=[f"Q{n}?"]))), max_size=6))
def test_nothing_vanishes(items):
    parsed = parse_reply(json.dumps({"facts": items}), ONE)
    assert len(parsed.pairs) + len(parsed.rejects) >= max(1, len(items))
    assert len({pair.id for pair in parsed.pairs}) == len(parsed.pairs)
    good = {fact["questions"][0] for fact in items if isinstance(fact, dict) and fact["kind"] == "limit"}
    assert good <= {pair.question for pair in parsed.pairs}


@settings(deadline=None)
@given(st.text(alphabet='{}[]",:\\ factsquestion1\n', max_size=200))
def test_any_text_ends_as_pairs_or_rejects(text):
    parsed = parse_reply(text, ONE)
    assert parsed.pairs or parsed.rejects


@pytest.mark.parametrize(
    "text",
    [
        reply(*(fact(questions=[f"Question {n}?"]) for n in range(60_000))),
        '{"facts": [{"answer": "' + 'a"b ' * 2_500_000 + '"}]}',
        '{"answer":' * 1_000_000,
        "[[]," * 2_500_000,
        '{"answer": "' + "{[" * 5_000_000,
    ],
    ids=["facts", "quotes", "objects", "lists", "string"],
)
def test_ten_megabytes_are_read_in_seconds(text):
    started = time.process_time()
    parsed = parse_reply(text, ONE)
    assert parsed.pairs or parsed.rejects
    assert time.process_time() - started < 10


def test_ids_depend_on_chunk_question_and_answer_alone():
    [first] = parse_reply(reply(fact()), ONE).pairs
    [second] = parse_reply(reply({**fact(), "kind": "other"}), Origin([LIMITS], "openai/y", "u")).pairs
    [other] = parse_reply(reply(fact(answer="Sixty.")), ONE).pairs
    assert (first.id, first.fact) == (second.id, second.fact)
    assert first.id != other.id
