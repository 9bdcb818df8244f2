"""Questions that two sections answer together: what is joined with what, and what is not."""

import hashlib
import json

import pytest
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


def test_each_quote_stands_in_the_source_that_is_named_for_it(manual, run_factory, teacher, tmp_path):
    for page in manual.glob("*.md"):
        extra = f"## {page.stem} extra\n\nThe `{page.stem}_extra` value is {len(page.stem)}, below `shared_limit`.\n"
        page.write_text(f"{page.read_text('utf-8')}\n{extra}", "utf-8")
    env = {"FACTORY_MULTI_SECTION_SHARE": "0.5"}
    generate(run_factory, teacher, env=env)
    told = [json.loads(line) for line in (tmp_path / "factory-data/latest/provenance.jsonl").read_text().splitlines()]
    made = [each for each in told if each["kind"] == KIND]
    assert all(("sources" in each) == (each["kind"] == KIND) for each in told)
    assert any(len({source["document"] for source in each["sources"]}) > 1 for each in made)
    for each in made:
        assert (each["document"], each["chunk"], each["lines"]) == tuple(each["sources"][0].values())
        assert len({source["chunk"] for source in each["sources"]}) > 1
        for quote, source in zip(each["quotes"], each["sources"], strict=True):
            first, last = map(int, source["lines"].split("-"))
            text = (manual / source["document"]).read_text().splitlines()[first - 1 : last]
            assert quote in "\n".join(text)


@pytest.mark.parametrize("noted", [True, False], ids=["as now", "as an earlier release"])
def test_a_purge_takes_the_rows_that_quote_the_document_and_no_other(manual, run_factory, teacher, tmp_path, noted):
    for page in manual.glob("*.md"):
        extra = f"## {page.stem} extra\n\nThe `{page.stem}_extra` value is {len(page.stem)}, below `shared_limit`.\n"
        page.write_text(f"{page.read_text('utf-8')}\n{extra}", "utf-8")
    env = {"FACTORY_MULTI_SECTION_SHARE": "0.5", "FACTORY_UNANSWERABLE_SHARE": "0.1"}
    generate(run_factory, teacher, env=env)
    before = {row["id"]: row for row in version(tmp_path)}
    if not noted:
        forget_sources(tmp_path / "factory-data")
    assert run_factory("purge", "billing.md", env=env).code == 0
    after = {row["id"] for row in version(tmp_path)}
    quoting = {
        row["id"]
        for row in before.values()
        if "billing.md" in (row["document"], *(source["document"] for source in row.get("sources", ())))
    }
    assert [row for row in before.values() if row["id"] in quoting and row["document"] != "billing.md"]
    assert before.keys() - after == quoting
    (manual / "billing.md").unlink()
    asked = teacher.requests
    ran, again = generate(run_factory, teacher, env=env)
    assert (ran.code, again["version"], teacher.requests) == (0, "v0002", asked), ran.err
    assert run_factory("verify").code == 0


def forget_sources(out):
    """Make the version one of an earlier release, which did not say where the second half of a row stands."""
    [path] = out.glob("versions/v0001")
    file, manifest = path / "provenance.jsonl", json.loads((path / "manifest.json").read_text())
    told = [json.loads(line) for line in file.read_text().splitlines()]
    for each in told:
        each.pop("sources", None)
    file.write_text("".join(f"{json.dumps(each)}\n" for each in told))
    manifest["files"]["provenance.jsonl"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (path / "manifest.json").write_text(json.dumps(manifest))
    digest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    (out / "versions" / "v0001.sha256").write_text(f"{digest}  v0001/manifest.json\n")
