"""Pairs that say the same in other words, by vectors of words; and once by the model itself."""

from importlib.util import find_spec

import pytest
from meanings import by_words

from filters.apply import Candidate, FilterConfig, active, funnel, make_filters
from filters.embeddings import embedder
from filters.semantic_duplicate import SemanticDuplicate
from generators.records import Chunk, Pair

CONFIG = FilterConfig(semantic=True, semantic_duplicate=0.7)


def candidate(question, answer, fact="", number=0):
    chunk = Chunk("c", "a.md", ("A",), answer, 1, 2, 9)
    name = f"{question}{answer}{number}"
    return Candidate(Pair(name, fact or name, question, answer, (answer,), "value", "c", "x/y", "0"), chunk)


def kept(candidates):
    return [pair.question for pair in funnel(candidates, [SemanticDuplicate(CONFIG, by_words)]).kept]


ROTATE = ("How do I rotate a key?", "Call the rotation with the old key and store the new key.")
AGAIN = ("How can I rotate a key?", "Call the rotation with the old key, then store the new key.")


def test_of_two_that_say_the_same_one_stays_and_the_other_names_it():
    found = funnel([candidate(*ROTATE), candidate(*AGAIN)], [SemanticDuplicate(CONFIG, by_words)])
    [pair], [reject] = found.kept, found.rejects
    assert (reject.reason, reject.twin) == ("semantic_duplicate", pair.id)
    assert reject.similarity >= 0.7


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ROTATE, ("How long is a parcel kept?", "Nine days.")),
        (("What does `GET /a` do?", "It lists the rows."), ("What does `GET /b` do?", "It lists the rows.")),
        (("How do I mount an app?", "Use the WSGI protocol."), ("How can I mount an app?", "Use the ASGI protocol.")),
    ],
)
def test_other_names_and_values_are_other_pairs(one, other):
    assert len(kept([candidate(*one), candidate(*other)])) == 2


def test_wordings_of_a_fact_stay():
    assert len(kept([candidate(*ROTATE, fact="f"), candidate(*AGAIN, fact="f")])) == 2


def test_a_published_pair_stays_and_later_blocks_are_compared_with_earlier_ones():
    one = SemanticDuplicate(CONFIG, by_words)
    one.remember(candidate(*ROTATE))
    assert one.judge(candidate(*AGAIN)).twin == candidate(*ROTATE).pair.id


def test_it_is_off_unless_asked_for():
    assert "semantic_duplicate" not in active(FilterConfig())
    assert "semantic_duplicate" not in [each.name for each in make_filters(FilterConfig())]
    assert active(CONFIG)[-1] == "semantic_duplicate"


@pytest.mark.skipif(all(map(find_spec, ("torch", "tokenizers", "transformers"))), reason="the extra is installed")
def test_without_its_packages_it_is_refused_before_anything_is_spent(run_factory, tmp_path):
    (tmp_path / "a.md").write_text("# A\n\nA key lives for a year.\n")
    (tmp_path / "factory.toml").write_text("[filters]\nsemantic = true\n")
    ran = run_factory("generate", "--docs", "a.md", "--dry-run")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "factory-qa[semantic]" in ran.err


@pytest.mark.weights
def test_a_text_that_has_no_utf8_is_read_as_a_version_shows_it():
    pytest.importorskip("torch")
    broken, shown = embedder().embed(["What does \ud83d stand for?", "What does \\ud83d stand for?"])
    assert broken @ shown > 0.999


@pytest.mark.weights
def test_the_model_tells_paraphrases_from_other_questions():
    for extra in ("torch", "transformers", "tokenizers", "safetensors"):
        pytest.importorskip(extra)
    [filter_] = make_filters(FilterConfig(semantic=True, skip=tuple(active(FilterConfig()))))
    filter_.remember(candidate("How do I include cookies in a request?", "Use the `cookies` parameter."))
    assert filter_.judge(candidate("How can I send cookies with a request?", "By the `cookies` parameter of it."))
    assert filter_.judge(candidate("How can I send headers with a request?", "By the `headers` parameter.")) is None
