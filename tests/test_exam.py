"""The parts of an exam by themselves: the retriever, the judge's arithmetic, the verdict, the prompts."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.records import Chunk
from generators.templates import load_template
from generators.tokens import count_tokens
from trainers.abstaining import declines
from trainers.baseline import Retriever
from trainers.figures import Comparison, Figures
from trainers.gate import GateConfig
from trainers.grading import Key
from trainers.judging import Preference, compare_all, grade_all, length_controlled
from trainers.prompting import answer_request, conversation, open_desk, pair_request
from trainers.remote import Heard
from trainers.statistics import Gap, Interval
from trainers.verdict import decide

KEY = Key("How many retries?", "It retries 4 times.", ("It retries 4 times.",), "It retries 4 times. Then it stops.")


def chunk(name, text, heading=()):
    return Chunk(name, f"{name}.md", heading, text, 1, 2, count_tokens(text))


LIBRARY = [
    chunk("cats", "Cats sleep most of the day and eat mice at night."),
    chunk("retries", "The `push` command retries a failed upload 4 times.", ("Uploads", "Retries")),
    chunk("limits", "An upload may have at most 50 MB; set `max_size` to change it.", ("Uploads", "Limits")),
    chunk("empty", ""),
]


def test_bm25_finds_sections_by_words_headings_and_exact_values():
    retriever = Retriever(LIBRARY)
    assert retriever.top("How often does push retry?")[0].id == "retries"
    assert retriever.top("What is `max_size`?")[0].id == "limits"
    assert retriever.top("zebra") == []
    assert Retriever([]).top("anything") == []


def test_bm25_hands_over_what_fits_and_always_the_best():
    long = chunk("long", "upload " * 3000)
    found = Retriever([long, *LIBRARY]).top("upload upload", 4, tokens=100)
    assert found
    assert found[0].id == "long" or long not in found


class Bench:
    """Judges by a function; keeps what it was asked."""

    spec, is_local = "openai/bench", False

    def __init__(self, reply):
        self.reply, self.requests = reply, []

    async def replies(self, requests):
        self.requests += requests
        return [Heard(self.reply(number, request)) for number, request in enumerate(requests)]


def graded(reply, answers, votes=1):
    bench = Bench(reply)
    return asyncio.run(grade_all(bench, open_desk("Quayline"), [(KEY, each) for each in answers], votes)), bench


def test_an_abstention_costs_no_request():
    found, bench = graded(lambda *_: '{"why": "", "grade": "correct"}', ["I don't know.", "4 times"])
    assert [each.outcome for each in found] == ["not_attempted", "correct"]
    assert len(bench.requests) == 1


@pytest.mark.parametrize(
    ("replies", "outcome"),
    [
        (["correct", "correct", "incorrect"], "correct"),
        (["correct", "incorrect"], "incorrect"),
        (["correct", "not_attempted"], "not_attempted"),
        (["nonsense", "correct"], "correct"),
        (["nonsense", ""], None),
    ],
)
def test_votes_are_counted_and_of_a_tie_the_harsher_holds(replies, outcome):
    [found], bench = graded(lambda n, _: f'Sure! {{"why": "so", "grade": "{replies[n]}"}}', ["four"], len(replies))
    assert found.outcome == outcome
    assert len({request.identity("x") for request in bench.requests}) == len(replies)


@pytest.mark.parametrize(
    ("replies", "winner", "consistent"),
    [
        (("first", "second"), "student", True),
        (("second", "first"), "teacher", True),
        (("first", "first"), "tie", False),
        (("tie", "tie"), "tie", True),
        (("tie", "first"), "tie", False),
        (("first", "?"), None, False),
    ],
)
def test_both_orders_must_agree(replies, winner, consistent):
    bench = Bench(lambda n, _: f'{{"why": "", "better": "{replies[n]}"}}')
    [found] = asyncio.run(compare_all(bench, open_desk("Quayline"), [(KEY, "student says", "teacher says")]))
    assert (found.winner, found.consistent) == (winner, consistent)
    one, other = (request.messages[-1].content for request in bench.requests)
    assert one.index("student says") < one.index("teacher says")
    assert other.index("student says") > other.index("teacher says")


preferences = st.lists(
    st.builds(Preference, st.sampled_from(["student", "teacher", "tie"]), st.just(True), st.floats(-1, 1)), min_size=1
)


@given(preferences)
def test_a_length_controlled_win_rate_is_a_share(told):
    assert 0 < length_controlled(told) < 1


def test_length_alone_wins_nothing():
    """The longer answer wins whosever it is; the student's is mostly the longer one."""
    told = [Preference("student", consistent=True, longer=0.8)] * 30
    told += [Preference("teacher", consistent=True, longer=-0.8)] * 10
    assert length_controlled(told) < 0.75
    assert length_controlled([Preference(each, consistent=True, longer=0.0) for each in ("student", "teacher")]) == 0.5
    assert length_controlled([Preference(None, consistent=False, longer=0.0)]) is None


# The prompts.


def test_prompts_hold_what_they_should_and_escape_nothing():
    desk = open_desk("Quayline")
    messages = conversation(desk, "What is `<b>`?", [chunk("a", "The `<b>` & {{ x }}", ("Top", "Part"))])
    assert "Quayline" in messages[0].content
    assert '<section heading="Top > Part">\nThe `<b>` & {{ x }}\n</section>' in messages[1].content
    assert messages[1].content.endswith("What is `<b>`?")
    alone = answer_request(desk, "What?", (), is_local=True)
    assert alone.messages[1].content == "What?"
    assert (alone.temperature, alone.schema) == (0.0, None)
    both = pair_request(desk, KEY, "one", "two", is_local=False)
    assert "<first>\none\n</first>" in both.messages[1].content
    assert KEY.source in both.messages[1].content


def test_a_prompt_for_judging_is_no_prompt_for_pairs():
    with pytest.raises(Exception, match="unknown variable"):
        load_template("judge")


def test_a_judge_of_your_own_must_use_what_there_is(tmp_path):
    path = tmp_path / "mine.jinja"
    path.write_text("{% block system %}{{ facts }}{% endblock %}{% block user %}{% endblock %}")
    with pytest.raises(Exception, match="unknown variable 'facts'; there are answer, question"):
        open_desk("Quayline", str(path))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The documentation of Quayline does not mention `x_y`.", True),
        ("That is not in the documentation of Quayline.", True),
        ("There is no `x_y` parameter.", True),
        ("Quayline does not have a header `X-Y`.", True),
        ("`x_y` is not a parameter of Quayline.", True),
        ("The default of `x_y` is 5.", False),
        ("Canberra.", False),
    ],
)
def test_declining_is_seen(answer, expected):
    assert declines(answer) is expected


# The verdict.


def figures(gap=(0.8, 0.7, 0.9), n=60, general=(0.0, -0.05, 0.05), declined=(0.9, 0.7, 0.97), change=(0.5, 0.3, 0.7)):
    return Figures(
        systems={},
        gap=Gap(Interval(*gap, n)),
        against={"base": Comparison(Interval(0.5, 0.4, 0.6, n), 0.001)},
        general_change=Interval(*general, 232),
        unanswerable={"student": Interval(*declined, 20)},
        unanswerable_change=Interval(*change, 20),
    )


@pytest.mark.parametrize(
    ("changed", "failed"),
    [
        ({}, []),
        ({"gap": (0.8, 0.59, 0.9)}, ["gap_closed"]),
        ({"gap": (None, None, None)}, ["gap_closed"]),
        ({"n": 19}, ["questions"]),
        ({"general": (-0.1, -0.15, -0.05)}, ["general"]),
        ({"general": (-0.1, -0.25, 0.01)}, []),
        ({"declined": (0.4, 0.2, 0.6)}, ["refusals"]),
        ({"declined": (None,)}, []),
        ({"gap": (0.1, 0.0, 0.2), "general": (-0.3, -0.4, -0.2)}, ["gap_closed", "general"]),
    ],
)
def test_every_condition_can_hold_a_student(changed, failed):
    found = decide(figures(**changed), GateConfig(), taught_refusals=5)
    assert [reason.name for reason in found.reasons if not reason.passed] == failed
    assert found.word == ("hold" if failed else "ship")
    assert found.ships == (not failed)


def test_a_student_that_was_not_taught_refusals_must_only_not_lose_them():
    poor = figures(declined=(0.1, 0.0, 0.3), change=(-0.1, -0.3, 0.1))
    assert decide(poor, GateConfig(), taught_refusals=0).ships
    assert not decide(poor, GateConfig(), taught_refusals=5).ships
    lost = figures(declined=(0.1, 0.0, 0.3), change=(-0.5, -0.7, -0.3))
    assert not decide(lost, GateConfig(), taught_refusals=0).ships


def test_thresholds_are_the_users():
    assert decide(figures(gap=(0.5, 0.4, 0.6)), GateConfig(gap_closed=0.3), 5).ships
    assert decide(figures(general=(-0.1, -0.15, -0.05)), GateConfig(general_fall=0.1), 5).ships
    assert decide(figures(n=5), GateConfig(min_questions=5), 5).ships
    assert decide(figures(declined=(0.4, 0.2, 0.6)), GateConfig(refusals=-1), 5).ships
