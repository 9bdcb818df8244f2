"""No two splits hold nearly the same question, checked by brute force."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from filters.holdout import Place
from filters.leakage import LEAK, cross_twins, settle
from generators.records import Pair

TRAIN, VALIDATION = Place("train"), Place("validation")
SEEN, UNSEEN = Place("test", "seen"), Place("test", "unseen")


def pair(number, question, fact="f"):
    return Pair(f"p{number:02d}", fact, question, "An answer.", ("q",), "value", "c", "openai/x", "0")


def similarity(one, other):
    one, other = ({text[i : i + 5] for i in range(max(1, len(text) - 4))} for text in (one.lower(), other.lower()))
    return len(one & other) / len(one | other)


def brute_force(pairs, places):
    rows = [each for each in pairs if each.id in places]
    return [
        (a.id, b.id)
        for a, b in combinations(rows, 2)
        if places[a.id].split != places[b.id].split and similarity(a.question, b.question) >= LEAK
    ]


ALIKE = [
    "How many API keys may a project of the plan Fleet have at the same time?",
    "How many API keys may a project of the plan Fleet hold at the same time?",
]


def test_a_new_test_wording_that_train_nearly_has_goes_back_to_train():
    pairs = [pair(1, ALIKE[0]), pair(2, ALIKE[1])]
    settled = settle(pairs, {"p01": TRAIN, "p02": SEEN}, before=())
    assert (settled.places, settled.leaks) == ({"p01": TRAIN, "p02": TRAIN}, [])


def test_a_published_test_row_stays_and_train_gives_way():
    pairs = [pair(1, ALIKE[0]), pair(2, ALIKE[1]), pair(3, "Which limit do projects know?")]
    settled = settle(pairs, {"p01": TRAIN, "p02": SEEN, "p03": TRAIN}, before={"p02"})
    assert settled.places == {"p02": SEEN, "p03": TRAIN}
    [leak] = settled.leaks
    assert (leak.pair.id, leak.twin) == ("p01", "p02")
    assert leak.similarity >= LEAK


def test_an_unseen_row_stays_and_a_seen_row_without_training_goes():
    pairs = [pair(1, ALIKE[0]), pair(2, "What do keys cost?"), pair(3, ALIKE[1], fact="g")]
    settled = settle(pairs, {"p01": TRAIN, "p02": SEEN, "p03": UNSEEN}, before=())
    assert settled.places == {"p03": UNSEEN}
    assert [leak.pair.id for leak in settled.leaks] == ["p01", "p02"]


WORDS = st.sampled_from(
    ["How many", "Which", "keys", "rows", "may a", "project", "user", "have", "hold", "?", " of `x`"]
)
PLACES = st.sampled_from([TRAIN, VALIDATION, SEEN, UNSEEN])
QUESTIONS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
PLACED = st.tuples(QUESTIONS, PLACES, st.sampled_from("fgh"), st.booleans())


@given(st.lists(PLACED, max_size=12))
def test_nothing_leaks(rows):
    pairs = [pair(number, question, fact) for number, (question, _, fact, _) in enumerate(rows)]
    places = {each.id: row[1] for each, row in zip(pairs, rows, strict=True)}
    before = {each.id for each, row in zip(pairs, rows, strict=True) if row[3]}
    found = {tuple(sorted((a.id, b.id))) for a, b, _ in cross_twins(pairs, places)}
    assert found == {tuple(sorted(ids)) for ids in brute_force(pairs, places)}
    settled = settle(pairs, places, before)
    assert brute_force(pairs, settled.places) == []
    assert {each.id for each in pairs} == {leak.pair.id for leak in settled.leaks} | settled.places.keys()
    assert all(settled.places[each] == places[each] for each in before & settled.places.keys())
    trained = {each.fact for each in pairs if settled.places.get(each.id) == TRAIN}
    assert all(each.fact in trained for each in pairs if settled.places.get(each.id) == SEEN)
    again = settle([each for each in pairs if each.id in settled.places], settled.places, set(settled.places))
    assert (again.places, again.leaks) == (settled.places, [])
