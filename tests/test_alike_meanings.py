"""No two splits hold a question of another fact that means the same: by vectors of words, and once by the model."""

import json
import os
from itertools import combinations

import numpy as np
import pytest
from conftest import SPEC_TAIL, facts_in, run_command, section, write_manual
from hypothesis import given
from hypothesis import strategies as st
from meanings import by_words

from factory.store import Row, Workspace
from filters.alike_meanings import ByMeaning, by_meaning
from filters.apply import FilterConfig
from filters.holdout import Place
from filters.leakage import cross_twins, settle
from generators.models import cache_folder
from generators.records import Pair

HOW = ByMeaning(0.7, by_words)
TRAIN, VALIDATION = Place("train"), Place("validation")
SEEN, UNSEEN = Place("test", "seen"), Place("test", "unseen")
ROTATE = "How do I rotate a key of my project before it ends?"
AGAIN = "Before a key ends, how do I rotate it, of my project?"


def pair(number, question, fact="f", answer="An answer."):
    return Pair(f"p{number:02d}", fact, question, answer, ("q",), "value", "c", "openai/x", "0")


def settled(pairs, *places, before=()):
    return settle(pairs, {each.id: place for each, place in zip(pairs, places, strict=True)}, set(before), HOW)


@pytest.mark.parametrize("weaker", [TRAIN, VALIDATION])
def test_an_unseen_row_stays_and_what_means_the_same_elsewhere_goes(weaker):
    pairs = [pair(1, ROTATE), pair(2, AGAIN, "g"), pair(3, "Which colours are there?")]
    found = settled(pairs, weaker, UNSEEN, TRAIN, before=("p01",))
    assert found.places == {"p02": UNSEEN, "p03": TRAIN}
    [leak] = found.leaks
    assert (leak.pair.id, leak.twin, leak.detail) == ("p01", "p02", "a test row asks the same by meaning")
    assert 0.7 <= leak.similarity <= 1
    assert settle(pairs, {"p01": weaker, "p02": UNSEEN, "p03": TRAIN}, {"p01"}).leaks == []


def test_a_published_row_of_the_test_stays_and_a_new_one_goes_back_to_train():
    pairs = [pair(1, ROTATE), pair(2, AGAIN, "g"), pair(3, "Which colours are there?", "g")]
    assert settled(pairs, TRAIN, SEEN, TRAIN).places == {"p01": TRAIN, "p02": TRAIN, "p03": TRAIN}
    assert settled(pairs, TRAIN, SEEN, TRAIN, before=("p02",)).places == {"p02": SEEN, "p03": TRAIN}


def test_another_wording_of_a_seen_fact_is_trained_and_none_of_an_unseen_one():
    pairs = [pair(1, ROTATE), pair(2, AGAIN)]
    assert settled(pairs, TRAIN, SEEN).places == {"p01": TRAIN, "p02": SEEN}
    assert settled(pairs, TRAIN, UNSEEN).places == {"p02": UNSEEN}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("What does `GET /a` list of a project?", "Rows."), ("What of a project does `GET /b` list?", "Rows.")),
        (("How do I mount an app of mine?", "With WSGI."), ("How do I, of mine, mount an app?", "With ASGI.")),
        (("How many keys may 2 users have?", "Some."), ("How many keys may 3 users have?", "Some.")),
    ],
)
def test_other_names_and_values_are_other_questions(one, other):
    pairs = [pair(1, one[0], answer=one[1]), pair(2, other[0], "g", other[1])]
    assert list(cross_twins(pairs, {"p01": TRAIN, "p02": UNSEEN}, HOW)) == []


WORDS = st.sampled_from(["keys", "rows", "project", "user", "hold", "have", "`x`", "`y`", "Python", "colour"])
PLACED = st.tuples(
    st.lists(WORDS, min_size=1, max_size=5).map(" ".join),
    st.sampled_from([TRAIN, VALIDATION, SEEN, UNSEEN]),
    st.sampled_from("fgh"),
    st.booleans(),
    st.sampled_from(["One.", "WSGI.", "ASGI."]),
)


def brute_force(pairs, places):
    """Leaks by meaning, pair by pair; what names tell apart is the filter's to say, and tested there."""
    from filters.semantic_duplicate import same_names

    for one, other in combinations([each for each in pairs if each.id in places], 2):
        unseen = UNSEEN in (places[one.id], places[other.id])
        if places[one.id].split != places[other.id].split and (one.fact != other.fact or unseen):
            cosine = float(np.dot(*by_words([one.question, other.question])))
            if cosine >= HOW.least + 1e-6 and same_names(one, other):
                yield one.id, other.id


@given(st.lists(PLACED, max_size=12))
def test_nothing_leaks(rows):
    pairs = [pair(number, question, fact, answer) for number, (question, _, fact, _, answer) in enumerate(rows)]
    places = {each.id: row[1] for each, row in zip(pairs, rows, strict=True)}
    before = {each.id for each, row in zip(pairs, rows, strict=True) if row[3]}
    found = {one.id for one, _, _ in cross_twins(pairs, places, HOW)}
    assert all({*ids} & found for ids in brute_force(pairs, places))
    end = settle(pairs, places, before, HOW)
    assert list(brute_force(pairs, end.places)) == []
    assert list(cross_twins([each for each in pairs if each.id in end.places], end.places, HOW)) == []
    assert {each.id for each in pairs} == {leak.pair.id for leak in end.leaks} | end.places.keys()
    assert all(end.places[each] == places[each] for each in before & end.places.keys())
    again = settle([each for each in pairs if each.id in end.places], end.places, set(end.places), HOW)
    assert (again.places, again.leaks) == (end.places, [])


def test_it_is_off_unless_asked_for():
    assert by_meaning(FilterConfig()) is None


# From outside.


def test_verify_says_in_one_line_which_versions_it_cannot_check_by_meaning(run_factory, tmp_path):
    rows = [Row(pair(1, ROTATE), TRAIN, "a.md", "1-2"), Row(pair(2, AGAIN, "g"), UNSEEN, "b.md", "1-2")]
    workspace = Workspace(tmp_path / "factory-data")
    for semantic in (False, True):
        filters = {"semantic": semantic, "semantic_duplicate": 0.85}
        workspace.publish(rows, (), {"documents": [], "asked": {}, "filters": filters}, "# Card\n", "")
    ran = run_factory("verify")
    assert (ran.code, ran.err) == (0, "")
    [line] = [line for line in ran.out.splitlines() if "not checked" in line]
    assert "v0002" in line
    assert "v0001" not in line
    assert ("factory models pull all-minilm-l6-v2" in line) or ("factory-qa[semantic]" in line)
    assert run_factory("verify", "--json").json["unchecked"] == ["v0002"]


ASKED = "How do I include additional headers in the outgoing request?"
AS_GOLD = "How can I send extra headers with my request?"
FAR = ("What takes a mapping of fields?", "Where is the mapping of the fields passed to?")
NO_SHARES = "test_share = 0\nvalidation_share = 0\n"
ANSWER, OTHER = "Pass the fields as a mapping to the client.", "Only an administrator may do so, on a page of its own."


def script(request):
    """The manual's facts, and one that a person's test asks for in other words."""
    told = [{"kind": "howto", "answer": ANSWER, "quotes": [ANSWER], "questions": [ASKED, *FAR]}]
    return {"facts": facts_in(request.user) + (told if ANSWER in request.user else [])}


@pytest.fixture
def factory(serve, tmp_path):
    """The command line in a folder with a manual, a person's test and a setting."""
    for extra in ("torch", "transformers", "tokenizers", "safetensors"):
        pytest.importorskip(extra)
    write_manual(tmp_path / "manual", pages=("alerts",), sections=("Limits", "Errors"))
    (tmp_path / "manual" / "headers.md").write_text(f"# Headers\n\n{ANSWER}\n")
    (tmp_path / "factory-data").mkdir()
    gold = {"question": AS_GOLD, "answer": OTHER, "test": True}
    (tmp_path / "factory-data" / "gold.jsonl").write_text(json.dumps(gold))
    (tmp_path / "factory.toml").write_text(f"{NO_SHARES}[filters]\nsemantic = true\n")
    passed_on = ("_proxy", "_url", "_bundle")
    network = {name: value for name, value in os.environ.items() if name.lower().endswith(passed_on)}
    teacher = serve(script)

    def run(*arguments):
        environment = {**network, **teacher.environment(), "FACTORY_CACHE": str(cache_folder())}
        return run_command(*arguments, cwd=tmp_path, env=environment)

    return run


def generate(factory):
    ran = factory("generate", "--docs", "manual", *SPEC_TAIL)
    assert ran.code == 0, ran.err
    return ran.json


def latest(tmp_path, name):
    lines = (tmp_path / "factory-data" / "latest" / name).read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.weights
def test_what_a_test_asks_in_other_words_is_not_trained_and_stays_out(factory, tmp_path):
    first = generate(factory)
    assert first["pairs"]["rejected"] == {"test_leak": 1}
    [reject] = latest(tmp_path, "rejected.jsonl")
    [gold] = [row for row in latest(tmp_path, "provenance.jsonl") if row["teacher"] == "person"]
    assert (reject["stage"], reject["pair"]["question"], reject["twin"]) == ("split", ASKED, gold["id"])
    assert reject["detail"] == "a test row asks the same by meaning"
    assert 0.85 <= reject["similarity"] <= 1
    verified = factory("verify", "--json").json
    assert (verified["problems"], "unchecked" in verified) == ([], False)
    assert generate(factory)["version"] == "v0001"
    assert factory("filter", "--json").json["path"] == "factory-data/versions/v0001"
    (tmp_path / "manual" / "billing.md").write_text(f"# Quayline billing\n\n{section('billing', 'Limits', 7)}")
    second = generate(factory)
    assert (second["version"], second["pairs"]["rejected"]) == ("v0002", {"test_leak": 1})
    assert factory("verify").code == 0


@pytest.mark.weights
def test_a_re_prune_finds_it_too_and_verify_what_was_let_through(factory, tmp_path):
    settings = (tmp_path / "factory.toml").read_text()
    (tmp_path / "factory.toml").write_text(NO_SHARES)
    assert generate(factory)["pairs"]["rejected"] == {}
    assert factory("verify").code == 0
    leaking = Workspace(tmp_path / "factory-data").latest()
    (tmp_path / "factory.toml").write_text(settings)
    ran = factory("filter")
    assert "published: factory-data/versions/v0002" in ran.out, ran.err
    assert "test_leak" in ran.out
    [gone] = latest(tmp_path, "retired.jsonl")
    assert (gone["question"], gone["reason"]) == (ASKED, "test_leak")
    assert factory("verify").code == 0
    manifest = {**leaking.manifest, "filters": {"semantic": True, "semantic_duplicate": 0.85}}
    path = Workspace(tmp_path / "factory-data").publish(leaking.rows, (), manifest, "# Card\n", "")
    [problem] = (ran := factory("verify", "--json")).json["problems"]
    assert (ran.code, problem.startswith(str(path.relative_to(tmp_path)))) == (2, True)
    assert "asks by meaning what test row" in problem
