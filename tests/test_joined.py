"""Questions that two sections answer together: what is joined with what, and what is not."""

from test_compose import generate, version

from generators.joined import KIND, halves_of, joined, without_halves
from generators.records import Pair, content_id

HOMES = {f"c{number}": f"{number}.md" for number in range(99)}


def _pair(fact: str, question: str, chunk: str, answer: str = "") -> Pair:
    answer = answer or f"The answer of {fact}."
    return Pair(content_id(fact, question), fact, question, answer, (answer,), "how-to", chunk, "openai/x", "sha")


def test_two_sections_that_share_a_name_are_asked_about_at_once():
    one = _pair("a", "How do I set `timeout`?", "c1")
    other = _pair("b", "What does `timeout` limit?", "c2")
    alone = _pair("c", "How do I paint the `bikeshed`?", "c3")
    found = joined([one, other, alone], HOMES, 1.0, 0)
    assert set(found) == {"a", "b"}
    [pair] = found["a"]
    assert pair.question == "How do I set `timeout`? And what does `timeout` limit?"
    assert pair.answer == "The answer of a. The answer of b."
    assert (pair.quotes, pair.kind, pair.chunk) == ((*one.quotes, *other.quotes), KIND, "c1")


def test_no_partner_in_the_same_section_nor_for_nothing():
    pairs = [_pair("a", "How do I set `timeout`?", "c1"), _pair("b", "What does `timeout` limit?", "c1")]
    assert joined(pairs, HOMES, 1.0, 0) == {}
    assert joined([*pairs, _pair("d", "Is `timeout` a number?", "c2")], HOMES, 0.0, 0) == {}


def test_sections_of_one_document_go_together_where_no_name_does():
    pairs = [_pair("a", "How do I open a client?", "c1"), _pair("b", "How do I close a stream?", "c2")]
    [pair] = joined(pairs, {"c1": "guide.md", "c2": "guide.md"}, 1.0, 0)["a"]
    assert pair.question == "How do I open a client? And how do I close a stream?"
    assert joined(pairs, HOMES, 1.0, 0) == {}


def test_what_is_everybodys_name_joins_nothing():
    pairs = [_pair(f"f{number}", f"What about `httpx` number x{number}?", f"c{number}") for number in range(60)]
    assert joined(pairs, HOMES, 1.0, 0) == {}


def test_long_ones_stay_apart():
    long = "x " * 400
    pairs = [_pair("a", "How do I set `timeout`?", "c1", long), _pair("b", "What does `timeout` limit?", "c2")]
    assert joined(pairs, HOMES, 1.0, 0) == {}


def test_a_version_holds_some_and_none_repeats_a_question_of_the_test(manual, run_factory, teacher, tmp_path):
    for page in manual.glob("*.md"):  # a name that two pages share
        extra = f"## {page.stem} extra\n\nThe `{page.stem}_extra` value is {len(page.stem)}, below `shared_limit`.\n"
        page.write_text(f"{page.read_text('utf-8')}\n{extra}", "utf-8")
    with_them = {"FACTORY_MULTI_SECTION_SHARE": "0.5"}
    ran, first = generate(run_factory, teacher, env=with_them)
    assert ran.code == 0
    rows = version(tmp_path)
    made = [row for row in rows if row["kind"] == KIND]
    assert {row["split"] for row in made} == {"train"}
    tested = [row["question"].lower() for row in rows if row["split"] == "test"]
    assert not [row for row in made if any(question in row["question"].lower() for question in tested)]
    ran, again = generate(run_factory, teacher, env=with_them)
    assert (again["version"], again["requests"]) == (first["version"], 0)


def test_what_is_published_stays_while_both_halves_do():
    one, other = _pair("a", "How do I set `timeout`?", "c1"), _pair("b", "What does `timeout` limit?", "c2")
    published = joined([one, other], HOMES, 1.0, 0)["a"]
    more = [_pair(fact, f"Is `timeout` {fact}?", f"c{at}") for at, fact in enumerate("mnopqrstuvw", 5)]
    more += [_pair("a", f"How is `timeout` set in {fact}?", "c1") for fact in "xyz"]
    assert any(joined([one, other, *more], HOMES, 1.0, seed)["a"] != published for seed in range(9))
    assert all(joined([one, other, *more], HOMES, 1.0, seed, published)["a"] == published for seed in range(9))
    assert joined([one, *more], HOMES, 1.0, 0, published)["a"] != published
    assert list(halves_of([*more, one, other], published)) == [one, other]


def test_what_is_joined_of_a_pair_that_goes_goes_with_it():
    one, other = _pair("a", "How do I set `timeout`?", "c1"), _pair("b", "What does `timeout` limit?", "c2")
    alone = _pair("c", "How do I paint the `bikeshed`?", "c3")
    [row] = joined([one, other], HOMES, 1.0, 0)["a"]
    assert without_halves([row, one], [alone]) == [row, one]
    assert without_halves([row, one], [one]) == without_halves([row, one], [other]) == [one]
