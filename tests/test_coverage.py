"""The coverage map: which pages gave pairs, of which kinds, and why others gave none."""

import json

from conftest import answer, write_manual

BARREN = "quota"


def some(request):
    """Facts of every section but one page's; that one's answers are refusals."""
    told = answer(request)
    for fact in told["facts"]:
        if BARREN in json.dumps(fact):
            fact["answer"] = "I'm sorry, but I cannot tell."
    return told


def published(run_factory, serve, tmp_path):
    write_manual(tmp_path / "manual", pages=("alerts", "billing", BARREN))
    ran = run_factory("generate", "--docs", "manual", "--teacher", "openai/x", teacher=serve(some))
    assert ran.code == 0, ran.err


def test_the_map_says_what_each_page_gave_and_why_one_gave_nothing(run_factory, serve, tmp_path):
    published(run_factory, serve, tmp_path)
    ran = run_factory("report", "--coverage", "--json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.json["coverage"]
    pages = {page["path"]: page for page in found["pages"]}
    assert pages.keys() == {"alerts.md", "billing.md", "quota.md"}
    barren, other = pages["quota.md"], pages["alerts.md"]
    assert (barren["covered"], barren["sections"]) == (0, 3)
    assert barren["why"] == barren["rejected"]
    assert "refusal" in barren["why"]
    chunk = barren["chunks"][0]
    assert chunk["rejected"] == {"limit": chunk["why"]}
    assert (chunk["heading"], chunk["lines"]) == (["Quayline quota", "Quota Limits"], "3-6")
    assert other["covered"] == other["sections"] == len(other["chunks"])
    assert not other["why"]
    assert found["pages_without_pairs"] == 1
    rows = sum(len(path.read_text().splitlines()) for path in (tmp_path / "factory-data/latest").glob("t*.jsonl"))
    rows += len((tmp_path / "factory-data/latest/validation.jsonl").read_text().splitlines())
    assert sum(sum(page["accepted"].values()) for page in pages.values()) == rows


def test_the_table_names_the_least_covered_page_first(run_factory, serve, tmp_path):
    published(run_factory, serve, tmp_path)
    for arguments in (("report", "--coverage"), ("report",)):
        ran = run_factory(*arguments)
        lines = ran.out.splitlines()
        assert ran.code == 0
        assert lines[2].endswith("pages without any: 1.")
        assert lines[6].startswith("| quota.md | 0 of 3 | 0 |")
        assert "refusal" in lines[6].split("|")[-2]
    assert "no score yet" in ran.err


def test_a_section_that_was_not_asked_about_is_said_to_be(run_factory, serve, tmp_path):
    write_manual(tmp_path / "manual", pages=("alerts", "billing", "caching"))
    ran = run_factory("generate", "--docs", "manual", "--teacher", "openai/x", "--pairs", "2", teacher=serve(answer))
    assert ran.code == 0, ran.err
    found = run_factory("report", "--coverage", "--json").json["coverage"]
    assert any(page["why"].get("not_asked") for page in found["pages"])
