"""Each filter on a pair that it must keep and one that it must drop, and the funnel over many."""

import random
from dataclasses import replace

import pytest

from filters import FILTERS
from filters.apply import Candidate, FilterConfig, funnel, make_filters
from generators.errors import UsageError
from generators.records import Chunk, Pair, content_id
from generators.words import words

SECTION = (
    "`POST /v1/keys` makes an API key. A project may have 20 keys. The twenty-first call fails with status 409 and the "
    "code `key_limit_reached`. The `limit` parameter sets how many keys a page holds, from 1 to 100. The `offset` "
    "parameter sets how many keys to skip. `timeout` defaults to `None`. Each page has a link to the previous page. "
    "A key is sent in the header `Authorization`, never as a cookie. The client is made by `Client(key)`."
)
QUESTION = "How many keys may a project have?"
ANSWER = "A project may have 20 keys."


def candidate(question=QUESTION, answer=ANSWER, quotes=None, text=SECTION, kind="limit", heading=("Acme", "Keys")):
    chunk = Chunk(content_id(text), "keys.md", heading, text, 1, 9, len(text) // 4)
    quotes = tuple(quotes if quotes is not None else [answer if answer in text else text])
    fact = content_id("fact", chunk.id, answer, quotes)
    return Candidate(
        Pair(content_id(chunk.id, question, answer), fact, question, answer, quotes, kind, chunk.id, "openai/x", "0"),
        chunk,
    )


def only(name, **config):
    """One filter by itself."""
    [found] = make_filters(FilterConfig(skip=tuple(other for other in FILTERS if other != name), **config))
    return found


def duplicates():
    """The two filters that compare pairs."""
    return [only("exact_duplicate"), only("near_duplicate")]


def jaccard(one, other):
    """The similarity of two pairs as the contract has it, counted by hand."""
    texts = [words(f"{each.pair.question} {each.pair.answer}") for each in (one, other)]
    a, b = ({tuple(text[i : i + 3]) for i in range(len(text) - 2)} for text in texts)
    return len(a & b) / len(a | b)


def verdicts(candidates, filters=None, published=()):
    """Pair id → reason, or None for what is kept."""
    done = funnel(candidates, filters or make_filters(FilterConfig()), published)
    return {**{pair.id: None for pair in done.kept}, **{reject.pair.id: reject.reason for reject in done.rejects}}


NEVER = "The twenty-first call never fails with status 409 and the code `key_limit_reached`."
COOKIE = "A key is sent in the header `Authorization`, as a cookie. The client is made by `Client(key)`."
LIMIT = ["The `limit` parameter sets how many keys a page holds, from 1 to 100."]
KEEP = [
    ("bad_length", {}),
    ("bad_length", {"answer": "20"}),
    ("bad_length", {"answer": "Twenty keys come with Plan A"}),
    ("bad_length", {"answer": "```\nclient = Client(\n  key\n)\n```"}),
    (
        "refusal",
        {"question": "What is the default of `timeout`?", "answer": "None", "quotes": ["`timeout` defaults to `None`"]},
    ),
    ("refusal", {"answer": "The document has no id.", "quotes": ["The document has no id until it is stored."]}),
    (
        "echoed_question",
        {
            "question": "Is a key sent in the header `Authorization` or as a cookie?",
            "answer": "In the header `Authorization`.",
        },
    ),
    (
        "echoed_question",
        {"question": "How do I make the client with a key?", "answer": "`Client(key)` makes it: `acme.client`"},
    ),
    ("redacted_answer", {"answer": "Write to [EMAIL_1] for more."}),
    ("leaked_prompt", {"answer": "A 409: the project has too many keys."}),
    ("leaked_prompt", {"answer": 'It returns {"answer": 42}.', "text": 'The body is {"answer": 42}.'}),
    ("page_bound", {"question": "How do I get the previous page of keys?"}),
    ("page_bound", {"question": "How many keys are in the page that `limit` cuts?"}),
    ("page_bound", {"question": "Which header carries the key of this project?"}),
    ("ungrounded_quote", {"quotes": ["a project may  have 20 keys"]}),
    ("ungrounded_value", {"answer": "A project may have 20 keys through the HTTP API."}),
    ("ungrounded_value", {"answer": "From 1 to 100.", "quotes": LIMIT}),
    ("ungrounded_value", {"answer": "Up to 3.", "quotes": ["three keys"], "text": "three keys"}),
    ("ungrounded_answer", {"answer": "Up to 20 API keys."}),
    ("ungrounded_answer", {"answer": "No, a project may have 20 keys.", "quotes": [ANSWER]}),
    ("ungrounded_quote", {"quotes": ["“the limit  parameter SETS how many keys … from 1 to 100.”"]}),
    ("ungrounded_answer", {"answer": "It answers 409.", "quotes": ["The twenty-first call fails with status 409"]}),
    ("unknown_name", {"question": "Which JSON fields does the HTTP API of `POST /v1/keys` want?"}),
    ("unknown_name", {"question": "What fails with 409?"}),
    ("exact_duplicate", {}),
    ("differing_answer", {}),
    ("near_duplicate", {}),
    ("off_answer", {"question": "How many keys may a project have?"}),
    ("mismatched_form", {"question": "How many keys may a project have?"}),
    ("mojibake", {"answer": "A café’s keys."}),
    ("repetition", {"answer": "Keys, keys and keys."}),
    ("wrong_language", {"answer": "`Authorization`"}),
    ("broken_code", {"answer": "```python\nclient = Client(key)\n```"}),
]
DROP = [
    ("bad_length", {"question": "Keys?"}, "5 characters"),
    ("bad_length", {"question": "Why " * 100 + "?"}, "401 characters"),
    ("bad_length", {"answer": ""}, "0 characters"),
    ("bad_length", {"answer": "x" * 2501}, "2501 characters"),
    ("bad_length", {"answer": "A project may have 20 keys, and the"}, "in the middle"),
    ("bad_length", {"answer": "Use:\n```\nclient = Client("}, "code fence"),
    ("refusal", {"answer": "I'm sorry, but I cannot tell."}, "I'm sorry"),
    ("redacted_answer", {"answer": "[API_KEY_1f3a]"}, "nothing but [API_KEY_1f3a]"),
    ("refusal", {"answer": "The documentation does not say how many."}, "does not"),
    ("refusal", {"answer": "Not specified."}, "Not specified"),
    ("echoed_question", {"answer": "How many keys may a project have"}, "is the question"),
    ("echoed_question", {"answer": "A project may have keys."}, "no word"),
    ("echoed_question", {"answer": "How many would you like?"}, "is a question"),
    ("leaked_prompt", {"answer": "Twenty.<|im_end|>"}, "<|im_end|>"),
    ("leaked_prompt", {"answer": 'Twenty.", "kind": "limit'}, "kind"),
    ("leaked_prompt", {"question": "Question 1: how many keys?"}, "Question 1:"),
    ("page_bound", {"question": "How many keys does this endpoint allow?"}, "this endpoint"),
    ("page_bound", {"question": "What does the previous section say of keys?"}, "previous section"),
    ("page_bound", {"question": "According to the documentation, how many keys are there?"}, "According to"),
    ("page_bound", {"answer": "As shown above, 20."}, "shown above"),
    ("page_bound", {"question": "How many keys are in the document?"}, "in the document"),
    ("ungrounded_quote", {"quotes": []}, "no quote"),
    ("ungrounded_quote", {"quotes": [ANSWER, "Keys live for 90 days and are then removed"]}, "90 days"),
    ("ungrounded_value", {"answer": "A project may have 25 keys."}, "'25' stands nowhere"),
    ("ungrounded_value", {"answer": "The code is `key_limit_reached`.", "quotes": [ANSWER]}, "only elsewhere"),
    ("ungrounded_value", {"answer": "A project may have 2 keys."}, "'2'"),
    ("ungrounded_quote", {"quotes": ["A project may have 25 keys."]}, "'25' against '20'"),
    ("ungrounded_quote", {"quotes": [NEVER]}, "'not' against ''"),
    ("ungrounded_quote", {"quotes": [COOKIE]}, "'' against 'not'"),
    ("ungrounded_quote", {"quotes": ["the code `key_limit_passed`"]}, "key_limit_passed"),
    ("ungrounded_quote", {"quotes": ["A project may have 2"]}, "'2' against '20'"),
    ("ungrounded_value", {"answer": "A project may have 25 keys.", "quotes": ["A project may have 25 keys."]}, "'25'"),
    ("ungrounded_answer", {"answer": "A project may not have 20 keys.", "quotes": [ANSWER]}, "say otherwise"),
    ("ungrounded_answer", {"answer": "Webhook endpoints receive signed events within seconds."}, "of its words"),
    ("unknown_name", {"question": "What does `rotate_key` do to a project?"}, "rotate_key"),
    ("unknown_name", {"question": "Why may a project have 21 keys?"}, "'21'"),
    ("off_answer", {"question": "Which cookie does the browser store for sessions?"}, "of what it asks about"),
    ("off_answer", {"question": "Why may a project have keys?"}, "a reason"),
    ("mojibake", {"answer": "Twenty cafÃ© keys."}, "garbled"),
    ("repetition", {"answer": "A key and a key and a key and a key."}, "repeats"),
    ("wrong_language", {"answer": "Das Projekt kann nicht mehr als 20 Schlüssel haben."}, "German"),
    ("broken_code", {"answer": "```python\nclient = Client(key\n```"}, "does not parse"),
    ("mismatched_form", {"question": "Which header may a project have?"}, "names none"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes"), KEEP)
def test_keeps(name, changes):
    assert only(name, **OVERLAP.get(name, {})).judge(candidate(**changes)) is None


@pytest.mark.parametrize(("name", "changes", "evidence"), DROP)
def test_drops_with_its_evidence(name, changes, evidence):
    drop = only(name, **OVERLAP.get(name, {})).judge(candidate(**changes))
    assert drop is not None
    assert evidence in drop.detail


# Off unless the teacher is bound to quotes.
OVERLAP = {name: {"answer_overlap": 0.75} for name in ("off_answer", "mismatched_form")}


def test_every_filter_has_a_case_to_keep_and_one_to_drop():
    alone = set(FILTERS) - {"semantic_duplicate"}  # runs by a model, and has a file of its own
    assert {name for name, _ in KEEP} == alone
    assert {name for name, _, _ in DROP} == alone - {"exact_duplicate", "differing_answer", "near_duplicate"}


def test_a_flawless_pair_passes_all_filters():
    assert list(verdicts([candidate()]).values()) == [None]


def test_the_product_may_be_named_though_the_section_does_not():
    asked = candidate("How many keys may a QuayLine project have?")
    assert only("unknown_name").judge(asked) is not None
    assert only("unknown_name", known_names=("QuayLine",)).judge(asked) is None


def test_a_filter_that_is_none_is_refused():
    with pytest.raises(UsageError, match=r"no filter 'spelling'.*near_duplicate"):
        make_filters(FilterConfig(skip=("spelling",)))


# Duplicates.


@pytest.mark.parametrize(
    "again",
    [
        "how many  KEYS may a project have",
        "How many `keys` may a project have ?",
        "“How many keys may a project have?”",
    ],
)
def test_a_question_asked_before_is_an_exact_duplicate_of_the_pair_that_stays(again):
    first, second = candidate(), candidate(again, "A project may have 20 keys")
    done = funnel([first, second], make_filters(FilterConfig()))
    [kept], [reject] = done.kept, done.rejects
    assert {kept.id, reject.pair.id} == {first.pair.id, second.pair.id}
    assert (reject.stage, reject.reason, reject.twin, reject.similarity) == ("filter", "exact_duplicate", kept.id, 1.0)


def test_the_same_question_with_another_answer_is_no_duplicate_but_a_differing_answer():
    first, second = candidate(), candidate(answer="A project may have 20 keys, and the twenty-first call fails.")
    for given in ([first, second], [second, first]):
        done = funnel(given, make_filters(FilterConfig()))
        [kept], [reject] = done.kept, done.rejects
        assert (reject.reason, reject.twin) == ("differing_answer", kept.id)
        assert 0.5 < reject.similarity < 1.0
        assert kept.answer in reject.detail


def test_what_is_kept_quotes_the_section_verbatim_and_a_reject_what_the_teacher_wrote():
    sloppy = candidate(quotes=["a project   may have 20 KEYS.", "“the limit parameter ... from 1 to 100”"])
    lying = candidate("How many keys are there at most?", "25 keys.", ["A project may have 25 keys."])
    done = funnel([sloppy, lying], make_filters(FilterConfig()))
    [kept], [reject] = done.kept, done.rejects
    assert kept.quotes == (ANSWER, "The `limit` parameter", "from 1 to 100")
    assert (kept.id, kept.fact) == (sloppy.pair.id, sloppy.pair.fact)
    assert reject.pair == lying.pair
    again = funnel([replace(sloppy, pair=kept)], make_filters(FilterConfig()))
    assert again.kept == [kept]


def test_the_better_grounded_of_two_answers_to_one_question_stays():
    wrong = candidate(answer="A project may have 20 keys.", quotes=["A project might possess twenty keys"])
    right = candidate(answer="A project may have 20 keys, no more.", quotes=["A project may have 20 keys"])
    done = funnel([wrong, right], make_filters(FilterConfig(quote_similarity=0.5)))
    assert [pair.id for pair in done.kept] == [right.pair.id]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does `GET /v1/keys` return to a caller?", "What does `GET /v1/hooks` return to a caller?"),
        ("How do I install the C++ client on Linux?", "How do I install the C# client on Linux?"),
        ("What does the `*` operator do in a pattern?", "What does the `**` operator do in a pattern?"),
        ("What does the flag -v print on the screen?", "What does the flag --v print on the screen?"),
        ("What happens after 3 failed calls in a row?", "What happens after 30 failed calls in a row?"),
    ],
)
def test_questions_that_differ_in_a_name_or_a_number_are_two(one, other):
    answer = (
        "It answers with what was asked for, in the order in which it was made, and an empty list if there is none."
    )
    pairs = [candidate(one, answer, text=answer), candidate(other, answer, text=answer + " ")]
    assert list(verdicts(pairs, duplicates()).values()) == [None, None]


LONG = (
    "sets the number of keys that the call hands back to the client in one go, and any value that is out of its bounds "
    "is cut to the nearest bound without an error"
)


def long_pair(question, section="one", quoted=0):
    """A pair with a long answer; the more quoted, the earlier the funnel sees it."""
    text = f"The `limit` parameter {LONG}; so does `offset`. It stands in {section}."
    return candidate(question, f"It {LONG}.", [f"limit` parameter {LONG}", text[:quoted] or "limit"], text)


def test_twins_across_facts_are_dropped_with_id_and_true_similarity():
    one = long_pair("How is the number of returned keys set for a listing?")
    other = long_pair("How is the number of returned keys set for one listing?", "two")
    done = funnel([one, other], make_filters(FilterConfig()))
    [reject] = done.rejects
    assert (reject.reason, reject.twin) == ("near_duplicate", done.kept[0].id)
    assert reject.similarity == round(jaccard(one, other), 4) >= 0.7


def test_plain_words_that_the_section_marks_as_names_tell_questions_apart():
    one, other = long_pair("What does the limit parameter do?"), long_pair("What does the offset parameter do?", "two")
    assert jaccard(one, other) >= 0.7
    assert list(verdicts([one, other], [only("near_duplicate")]).values()) == [None, None]


def test_wordings_of_a_fact_are_kept_up_to_the_cap():
    openings = ("Tell me how", "Say how", "Explain how", "Show me how", "Do you know how", "Let me know how", "So how",
                "Describe how")  # fmt: skip
    pairs = [long_pair(f"{opening} the count of keys is set.") for opening in openings]
    assert len({each.pair.fact for each in pairs}) == 1
    done = funnel(pairs, make_filters(FilterConfig(wordings_a_fact=5)))
    assert len(done.kept) == 5
    assert {reject.reason for reject in done.rejects} == {"near_duplicate"}
    assert all(reject.twin in {pair.id for pair in done.kept} and reject.similarity >= 0.7 for reject in done.rejects)


def test_wordings_of_a_fact_that_differ_are_not_capped():
    questions = (
        "How many keys may a project have?",
        "What is the largest number of keys in one project?",
        "I keep making keys; when does it stop?",
        "Is there a bound on keys?",
    )
    pairs = [candidate(question, "20 keys.") for question in questions]
    assert list(verdicts(pairs, [only("near_duplicate", wordings_a_fact=1)]).values()) == [None] * 4


def test_published_pairs_stay_and_others_are_compared_with_them():
    worse = candidate(answer="A project may have 20 keys.", quotes=["A project may have 20 keys"])
    better = candidate(answer="A project may have 20 keys.", quotes=[SECTION])
    better = replace(better, pair=replace(better.pair, id="better"))
    done = funnel([better], make_filters(FilterConfig()), published=[worse])
    [reject] = done.rejects
    assert (done.kept, reject.reason, reject.twin) == ([], "exact_duplicate", worse.pair.id)


def test_a_pair_that_was_dropped_is_nobodys_twin():
    first = long_pair("How is the number of returned keys set for a listing?", quoted=90)
    twin = long_pair("How is the number of returned keys set for one listing?", "two", quoted=60)
    echo = long_pair("how is the number of returned keys set for one listing", "three", quoted=30)
    done = funnel([echo, twin, first], make_filters(FilterConfig()))
    assert [pair.id for pair in done.kept] == [first.pair.id]
    assert {(reject.reason, reject.twin) for reject in done.rejects} == {("near_duplicate", first.pair.id)}


def test_the_order_of_candidates_changes_no_verdict():
    chance = random.Random(5)
    words = ("key", "project", "page", "call", "error", "header", "client", "token", "order", "status", "value", "size")
    pairs = []
    for number in range(120):
        asked = " ".join(chance.choices(words, k=3 if number % 3 else 1))
        answer = f"The {asked} {LONG}." if number % 2 else f"By `limit`, from 1 to 100: {asked} {number % 5}."
        section = f"The `limit` parameter {LONG}, from 1 to 100. It stands in {number % 7}."
        pairs.append(candidate(f"How is the {asked} settled?", answer, [f"`limit` parameter {LONG}"], section))
    expected = verdicts(pairs, duplicates())
    assert {*expected.values()} == {"exact_duplicate", "near_duplicate", None}
    assert sum(reason is None for reason in expected.values()) > 10
    for _ in range(5):
        chance.shuffle(pairs)
        assert verdicts(pairs, duplicates()) == expected
