"""Splits: shares, whole documents, and that what was once assigned stays."""

from collections import Counter

import pytest

from filters.holdout import Place, SplitConfig, assign, hold_out, hold_out_fruitful
from generators.records import Pair, content_id

CONFIG = SplitConfig()


def pairs_of(facts, wordings, chunk="c"):
    return [
        Pair(
            content_id(chunk, fact, wording), content_id(chunk, fact), f"Q{wording}", f"A{fact}", (), "", chunk, "", ""
        )
        for fact in range(facts)
        for wording in range(wordings)
    ]


def shares(places):
    counted = Counter(place.split for place in places.values())
    return {split: counted[split] / len(places) for split in ("train", "validation", "test")}


@pytest.mark.parametrize("wordings", [2, 3, 6, 9])
def test_a_tenth_of_the_wordings_goes_to_each_of_test_and_validation(wordings):
    places = assign(pairs_of(3000, wordings), set(), {}, CONFIG)
    assert shares(places) == pytest.approx({"train": 0.8, "validation": 0.1, "test": 0.1}, abs=0.015)
    assert {place.set for place in places.values() if place.split == "test"} == {"seen"}


@pytest.mark.parametrize("wordings", [1, 2, 3, 12])
def test_each_fact_is_trained_and_gives_at_most_one_wording_to_a_split(wordings):
    pairs = pairs_of(500, wordings)
    places = assign(pairs, set(), {}, SplitConfig(test_share=0.4, validation_share=0.4))
    for fact in {pair.fact for pair in pairs}:
        splits = Counter(places[pair.id].split for pair in pairs if pair.fact == fact)
        assert splits["train"] >= 1
        assert splits["test"] <= 1 >= splits["validation"]


def test_shares_of_nothing_leave_all_to_training():
    places = assign(pairs_of(200, 3), set(), {}, SplitConfig(test_share=0, validation_share=0))
    assert set(places.values()) == {Place("train")}


def test_pairs_of_held_out_chunks_are_unseen_all_of_them():
    held, trained = pairs_of(20, 3, "held"), pairs_of(20, 3, "trained")
    places = assign([*held, *trained], {"held"}, {}, CONFIG)
    assert {places[pair.id] for pair in held} == {Place("test", "unseen")}
    assert Place("test", "unseen") not in {places[pair.id] for pair in trained}


def test_order_and_company_do_not_matter():
    pairs = pairs_of(100, 3)
    alone = assign(pairs, set(), {}, CONFIG)
    among_others = assign([*pairs_of(50, 4, "other"), *reversed(pairs)], set(), {}, CONFIG)
    assert alone.items() < among_others.items()
    assert assign(pairs, set(), {}, SplitConfig(seed=1)) != alone


def test_what_was_assigned_is_kept_when_a_fact_gains_and_loses_wordings():
    pairs = pairs_of(300, 6)
    before = assign([pair for number, pair in enumerate(pairs) if number % 6 < 3], set(), {}, CONFIG)
    after = assign(pairs, {"c"}, before, SplitConfig(seed=9, test_share=0.5))
    assert before.items() <= after.items()
    later = assign(pairs[::2], set(), after, CONFIG)
    assert later.items() <= after.items()


def test_a_fact_without_a_trained_wording_left_trains_the_next():
    first, second = pairs_of(1, 2)
    places = assign([first, second], set(), {first.id: Place("test", "seen")}, SplitConfig(validation_share=1.0))
    assert places[second.id] == Place("train")


# Documents.


def documents(number, sections=4):
    return {f"{name:03}.md": [content_id(name, each) for each in range(sections)] for name in range(number)}


def flags(docs, held):
    return {chunk: path in held for path, chunks in docs.items() for chunk in chunks}


def test_a_share_of_the_documents_is_held_out_and_at_least_one_of_ten():
    assert len(hold_out(documents(2000), {}, CONFIG)) == pytest.approx(100, abs=25)
    for seed in range(10):
        assert len(hold_out(documents(10), {}, SplitConfig(seed=seed))) >= 1
    assert hold_out(documents(2000), {}, SplitConfig(unseen_share=0)) == set()


def test_a_licence_alone_examines_nothing():
    docs = {f"{name:02}.md": [f"{name}-{each}" for each in range(1 if name % 2 else 9)] for name in range(20)}
    for seed in range(20):
        held = hold_out(docs, {}, SplitConfig(seed=seed))
        sections = sum(len(docs[path]) for path in held)
        assert 0.05 * 100 <= sections <= 0.35 * 100


def test_holdout_follows_content_not_path():
    docs = documents(200)
    held = hold_out(docs, {}, CONFIG)
    moved = {f"deep/{path}": chunks for path, chunks in docs.items()}
    for before in ({}, flags(docs, held)):
        assert hold_out(moved, before, CONFIG) == {f"deep/{path}" for path in held}


def test_an_edited_document_stays_where_most_of_it_was_and_only_new_ones_are_drawn():
    docs = documents(200)
    held = hold_out(docs, {}, CONFIG)
    edited = {path: [f"new {path}", *chunks[1:]] for path, chunks in docs.items()}
    edited |= {f"new/{path}": [f"own {path}"] for path in docs}
    now = hold_out(edited, flags(docs, held), SplitConfig(seed=4))
    assert {path for path in now if path in docs} == held
    assert any(path.startswith("new/") for path in now)


def test_documents_that_gave_no_pair_do_not_examine_alone():
    documents = {f"p{n}.md": [f"c{n}-{m}" for m in range(3)] for n in range(20)}
    config = SplitConfig(unseen_share=0.1)
    held = hold_out(documents, {}, config)
    fruitful = {chunk for path, chunks in documents.items() if path not in held for chunk in chunks[:2]}
    more = hold_out_fruitful(documents, held, fruitful, config)
    giving = {path for path in more if fruitful & set(documents[path])}
    assert held < more
    assert 1 <= len(giving) <= 3
    assert (
        hold_out_fruitful(documents, held, {chunk for chunks in documents.values() for chunk in chunks}, config) == held
    )
    assert hold_out_fruitful(documents, more, fruitful, config) == more
    assert hold_out_fruitful(documents, (), fruitful, config) == set()
