"""``factory filter`` as people run it: any chat JSONL into a folder, and a workspace judged again."""

import gzip
import json
import os
import signal
import threading
from itertools import pairwise

import pytest
from conftest import facts_in, write_manual

from factory import chat_rows
from factory.chat_rows import BadRowError, lines_of, read_row
from factory.halves import in_halves

ANSWER = "Call rotate on the key, wait a minute for the caches, and then delete the old one in the console."
QUESTIONS = ("How do I rotate a key of my project?", "Which colours may a project's badge have on the page?")
PAIRS = ((QUESTIONS[0], ANSWER), (QUESTIONS[1], "Any of the twelve colours that the palette of the console offers."))
SCHEMAS = {
    "messages": lambda q, a: {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]},
    "messages with a system prompt and parts": lambda q, a: {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": q}]},
            {"role": "assistant", "content": a},
        ]
    },
    "ShareGPT": lambda q, a: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]},
    "Alpaca": lambda q, a: {"instruction": q, "input": "", "output": a},
    "Alpaca with input": lambda q, a: {"instruction": q[:10], "input": q[10:], "output": a},
    "prompt and completion": lambda q, a: {"prompt": q, "completion": a},
    "prompt and completion as turns": lambda q, a: {
        "prompt": [{"role": "user", "content": q}],
        "completion": [{"role": "assistant", "content": a}],
    },
    "question and answer": lambda q, a: {"question": q, "answer": a},
}


def row(question, answer, schema="messages", **more):
    return json.dumps({**SCHEMAS[schema](question, answer), **more}).encode()


@pytest.fixture
def filtered(run_factory, tmp_path):
    """Run ``factory filter`` on these lines: (how it ended, lines kept, rejects)."""

    def run(data, *arguments, name="rows.jsonl", **settings):
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else b"".join(line + b"\n" for line in data))
        ran = run_factory("filter", name, "--to", "out", *arguments, **settings)
        if ran.code:
            assert not list(tmp_path.glob("out/*")), "something was left half-written"
            return ran, None, None
        rejects = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_bytes().splitlines()]
        return ran, (tmp_path / "out" / name).read_bytes(), rejects

    return run


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_schema_is_read_and_its_lines_are_kept_byte_for_byte(filtered, schema):
    odd = row(*PAIRS[0], schema, id=7, meta={"é": [1.50, None]}).replace(b": ", b" :   ")
    lines = [odd, row(*PAIRS[1], schema), row(PAIRS[0][0].upper(), "Otherwise.", schema)]
    ran, kept, rejects = filtered(lines, "--json")
    assert (ran.code, kept) == (0, odd + b"\n" + lines[1] + b"\n"), ran.err
    assert ran.json == {"rows": 3, "kept": 2, "dropped": {"differing_answer": 1}, "path": "out/rows.jsonl"}
    [reject] = rejects
    assert (reject["reason"], reject["line"], reject["twin"]) == ("differing_answer", 3, "line 1")
    assert reject["similarity"] < 0.5
    assert reject["row"] == json.loads(lines[2])


def test_the_earlier_of_two_twins_stays_and_another_identifier_makes_another_row(filtered):
    first = row("How do I rotate a key with POST /v1/keys?", ANSWER)
    twin = row("How do I rotate one key with POST /v1/keys?", ANSWER)
    other = row("How do I rotate a key with POST /v1/hooks?", ANSWER)
    ran, kept, [reject] = filtered([first, other, twin], "--only", "near_duplicate", "--json")
    assert kept == first + b"\n" + other + b"\n"
    assert ran.json["dropped"] == {"near_duplicate": 1}
    assert (reject["stage"], reject["reason"], reject["twin"]) == ("filter", "near_duplicate", "line 1")
    assert 0.7 <= reject["similarity"] < 1
    assert filtered([twin, other, first], "--only", "near_duplicate")[1] == twin + b"\n" + other + b"\n"


def test_mixed_schemas_broken_lines_and_oddities_are_named_by_line_and_the_rest_is_processed(filtered):
    lines = [
        b"\xef\xbb\xbf" + row(*PAIRS[0]),
        b'{"messages": [',
        b"",
        row(*PAIRS[1], schema="Alpaca"),
        b'{"prompt": "How\0", "completion": "x"}',
        b'{"text": "only a text"}',
        b"[1, 2]",
        b"\xff\xfe broken",
        b'{"messages": [{"role": "user", "content": "Is anybody there?"}]}',
        row("What does NaN mean here, in words?", "Not a number, so compare it with nothing.")[:-1] + b', "x": NaN}',
        row("Is a lone \ud800 kept as it is?", "It is, for the line is written as it stands.") + b"\r",
        b'{"a":' * 100_000,
        b'{"question": 3, "answer": {"x": 1}}',
        row(*PAIRS[0]) + b" x",
    ]
    ran, kept, rejects = filtered(lines, "--json")
    assert ran.code == 0, ran.err
    assert kept.splitlines(keepends=True) == [
        row(*PAIRS[0]) + b"\n",
        lines[3] + b"\n",
        lines[9] + b"\n",
        lines[10] + b"\n",
    ]
    bad = {reject["line"]: reject for reject in rejects}
    assert {reject["reason"] for reject in rejects} == {"bad_row"}
    assert sorted(bad) == [2, 5, 6, 7, 8, 9, 12, 13, 14]
    assert all(reject["detail"].startswith(f"line {line}: ") for line, reject in bad.items())
    for line, says in {2: "not JSON", 5: "NUL", 6: "keys: text", 7: "list", 8: "UTF-8", 9: "no answer"}.items():
        assert says in bad[line]["detail"]
        assert f"line {line}: " in ran.err or line > 8
    assert bad[2]["raw"] == '{"messages": [\n'
    assert "4 more lines" in ran.err
    assert ran.json["rows"] == 13 == ran.json["kept"] + sum(ran.json["dropped"].values())


@pytest.mark.parametrize(
    "record",
    [
        {"messages": []},
        {"messages": [1, 2]},
        {"messages": {"role": "user"}},
        {"messages": [{"role": ["user"], "content": "x"}, {"role": None, "from": {}}]},
        {"messages": [{"role": "user", "content": {"a": 1}}, {"role": "assistant", "content": "x"}]},
        {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": [["x"]]}]},
        {"conversations": [{"from": "gpt", "value": "x"}]},
        {"prompt": "x", "chosen": "y"},
        {},
        [],
        "text",
        None,
    ],
)
def test_what_has_no_question_and_answer_is_a_bad_row(record):
    line = json.dumps(record).encode()
    with pytest.raises(BadRowError):
        read_row(line, len(line))


def test_a_line_of_fifty_megabytes_is_a_row_like_any(filtered):
    long = row("How long may an answer be, at most?", "x" * 50_000_000)
    ran, kept, _ = filtered([row(*PAIRS[0]), long, row(*PAIRS[1])], "--only", "near_duplicate", "--json")
    assert ran.json["kept"] == 3
    assert kept.splitlines()[1] == long


def test_a_line_beyond_all_measure_is_passed_over(monkeypatch, tmp_path):
    monkeypatch.setattr(chat_rows, "LONGEST_LINE", 100)
    (tmp_path / "rows").write_bytes(b"x" * 100 + b"\n" + b"y" * 1001 + b"\n{}\n" + b"z" * 250)
    with (tmp_path / "rows").open("rb") as file:
        found = list(lines_of(file))
    assert [(number, length) for number, _, length in found] == [(1, 101), (2, 1002), (3, 3), (4, 250)]
    assert max(len(raw) for _, raw, _ in found) == 101
    with pytest.raises(BadRowError, match="1,002 bytes"):
        read_row(*found[1][1:])


@pytest.mark.parametrize("data", [b"", b"\n \r\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_rows_gives_a_file_without_rows(filtered, data):
    ran, kept, rejects = filtered(data, "--json")
    assert (ran.code, kept, rejects) == (0, b"", [])
    assert ran.json == {"rows": 0, "kept": 0, "dropped": {}, "path": "out/rows.jsonl"}
    assert "no rows" in ran.err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"id,question\n1,How?\n", "holds no chat rows: line 1: not JSON"),
        ("{}\n".encode("utf-16"), "UTF-16"),
        (gzip.compress(row(*PAIRS[0]) + b"\n")[:-9], "damaged gzip"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_and_nothing_is_written(filtered, data, says):
    ran, *_ = filtered(data)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.jsonl", "--to", "out"), "there is no file nowhere.jsonl"),
        ((".", "--to", "out"), "cannot read .: Is a directory"),
        (("rows.jsonl",), "--to DIR"),
        (("rows.jsonl", "--to", "."), "is the input itself"),
        (("rows.jsonl", "--to", "linked"), "is the input itself"),
        (("rows.jsonl", "--to", "rows.jsonl"), "cannot write to rows.jsonl"),
        (("rows.jsonl", "--to", "rows.jsonl/x"), "cannot write to rows.jsonl/x"),
        (("rows.jsonl", "--to", "out", "--out", "factory-data"), "either a file with --to"),
        (("--to", "out"), "--to goes with a file"),
        (("rows.jsonl", "--to", "out", "--only", "spelling"), "no filter 'spelling'"),
        (("rows.jsonl", "--to", "out", "--only", "refusal", "--skip", "refusal"), "no filter is left"),
        (("rows.jsonl", "--to", "out", "--only", "ungrounded_quote"), "needs the section"),
        (("--out", "nowhere"), "there is no workspace nowhere"),
        (("--out", "linked"), "nothing is published in linked"),
    ],
)
def test_wrong_usage_is_one_line(run_factory, tmp_path, arguments, says):
    (tmp_path / "rows.jsonl").write_bytes(row(*PAIRS[0]))
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "rows.jsonl").symlink_to("../rows.jsonl")
    ran = run_factory("filter", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1), ran.err
    assert says in ran.err
    assert (tmp_path / "rows.jsonl").read_bytes() == row(*PAIRS[0])
    assert {path.name for path in tmp_path.iterdir()} <= {"rows.jsonl", "linked", "out"}


def test_a_gzipped_file_gives_a_gzipped_file_of_the_same_bytes_each_time(filtered):
    data = gzip.compress(row(*PAIRS[0]) + b"\n" + row(*PAIRS[0]) + b"\n" + row(*PAIRS[1]))
    _, kept, rejects = filtered(data, name="rows.jsonl.gz")
    assert gzip.decompress(kept) == row(*PAIRS[0]) + b"\n" + row(*PAIRS[1]) + b"\n"
    assert len(rejects) == 1
    assert filtered(data, name="rows.jsonl.gz")[1] == kept


def test_only_and_skip_choose_filters_and_thresholds_stand_in_the_settings(filtered, tmp_path):
    lines = [row("Keys?", "I'm sorry, but no."), row("Keys?", "Twenty."), row("Keys?", "Twenty.")]
    assert filtered(lines, "--only", "refusal", "--json")[0].json["dropped"] == {"refusal": 1}
    assert filtered(lines, "--only", "refusal, bad_length", "--json")[0].json["dropped"] == {"bad_length": 3}
    skipped = filtered(lines, "--skip", "bad_length", "--skip", "refusal", "--json")[0].json
    assert skipped["dropped"] == {"differing_answer": 2}
    (tmp_path / "factory.toml").write_text('[filters]\nskip = ["bad_length"]\nmax_answer_chars = 10')
    assert filtered(lines, "--json")[0].json["dropped"] == {"refusal": 1, "exact_duplicate": 1}
    assert filtered(lines, "--only", "bad_length", "--json")[0].json["dropped"] == {"bad_length": 3}


def test_people_see_the_funnel_and_what_was_left_out(filtered):
    ran, *_ = filtered([row(*PAIRS[0]), row(*PAIRS[0]), b"{"])
    assert "left out" in ran.err
    assert "ungrounded_quote" in ran.err
    lines = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line}
    assert lines["bad_row"][:4] == ["3", "2", "1", "line"]
    assert lines["exact_duplicate"][:3] == ["2", "1", "1"]
    assert "kept 1 of 3 rows: out/rows.jsonl" in ran.out


def test_a_run_that_is_ended_leaves_nothing_half_written(start_factory, tmp_path):
    """Rows come through a pipe, so that the end is sure to come while they are written."""
    os.mkfifo(tmp_path / "rows.jsonl")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rows.jsonl").write_bytes(b"before\n")
    process = start_factory("filter", "rows.jsonl", "--to", "out")
    with (tmp_path / "rows.jsonl").open("wb", buffering=0) as pipe:
        for number in range(2000):
            pipe.write(row(f"What is the value of key {number}?", f"It is {number}, and no more than that.") + b"\n")
        threading.Timer(0.2, process.send_signal, [signal.SIGTERM]).start()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 6, said
    assert b"nothing was written" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["rows.jsonl"]
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == b"before\n"


@pytest.mark.parametrize("harm", ["none", "death", "an error"])
def test_two_processes_give_what_one_gives_though_one_comes_to_harm(harm, capfd):
    own = os.getpid()

    def square(number):
        if os.getpid() != own and number == 9000 and harm != "none":
            os._exit(0) if harm == "death" else int("x")
        return number * number

    assert in_halves(square, range(10_000)) == [number * number for number in range(10_000)]


# The workspace.

SPEC = "openai/scripted-1"


@pytest.fixture
def workspace(run_factory, serve, tmp_path):
    """A workspace whose teacher also wrote long questions, refusals, inventions and twins; and that teacher."""

    def script(request):
        facts = facts_in(request.user)
        for fact in facts[::3]:
            fact["questions"].append(
                "Please tell me, "
                + "".join(f"in case {'abcdefghij'[n % 10] * (n // 10 + 2)}, " for n in range(40))
                + "what it is."
            )
        for fact in facts[1::4]:
            fact["questions"].append("What does `made_up_name` do to the service at all?")
        return {"facts": facts}

    write_manual(tmp_path / "manual", pages=("alerts", "billing", "caching"))
    teacher = serve(script)
    ran = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--json", teacher=teacher)
    assert ran.code == 0, ran.err
    return ran.json, teacher


def manifest(tmp_path):
    return json.loads((tmp_path / "factory-data" / "latest" / "manifest.json").read_text())


def test_the_same_thresholds_change_nothing_and_publish_nothing(workspace, run_factory, tmp_path):
    told, teacher = workspace
    asked = teacher.requests
    ran = run_factory("filter", "--json")
    assert (ran.code, ran.err) == (0, "")
    rejected = told["pairs"]["rejected"]
    assert ran.json == {
        "rows": told["pairs"]["candidates"],
        "kept": told["pairs"]["accepted"],
        "dropped": rejected,
        "path": "factory-data/versions/v0001",
    }
    assert {"bad_length", "unknown_name"} <= set(rejected)
    assert teacher.requests == asked
    assert [path.name for path in (tmp_path / "factory-data" / "versions").glob("v*/")] == ["v0001"]


def test_the_manifest_holds_the_funnel(workspace, tmp_path):
    told, _ = workspace
    found = manifest(tmp_path)["funnel"]
    assert found[0]["in"] == told["pairs"]["candidates"]
    assert found[-1]["out"] == told["pairs"]["accepted"]
    assert all(before["out"] == after["in"] for before, after in pairwise(found))
    dropped = {stage["name"]: stage["in"] - stage["out"] for stage in found}
    assert {name: count for name, count in dropped.items() if count} == told["pairs"]["rejected"]


def test_what_a_skipped_filter_let_in_is_said_by_the_next_run(workspace, run_factory, tmp_path):
    told, teacher = workspace
    ran = run_factory("filter", "--skip", "bad_length", "--json")
    skipped = ran.json["kept"]
    assert skipped > told["pairs"]["accepted"]
    (tmp_path / "manual" / "more.md").write_text("# More\n\nNothing to say.\n")
    ran = run_factory("generate", "--docs", "manual", "--teacher", SPEC, teacher=teacher)
    assert "published without bad_length" in ran.err
    found = manifest(tmp_path)
    assert (found["version"], found["filters"]["skip"]) == ("v0003", [])
    assert [each["skip"] for each in found["filters_before"]] == [["bad_length"]]
    assert found["pairs"]["accepted"] == skipped, ran.err
    ran = run_factory("filter", "--json")
    assert (ran.code, ran.json["kept"]) == (0, told["pairs"]["accepted"]), ran.err
    assert manifest(tmp_path)["filters_before"] == []


def test_other_thresholds_publish_a_version_and_going_back_brings_the_rows_back(workspace, run_factory, tmp_path):
    told, teacher = workspace
    asked, places = teacher.requests, provenance(tmp_path)
    (tmp_path / "factory.toml").write_text("[filters]\nmax_question_chars = 1000\nmin_answer_chars = 77\n")
    ran = run_factory("filter", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["path"] == "factory-data/versions/v0002"
    assert 0 < ran.json["kept"] != told["pairs"]["accepted"]
    found = manifest(tmp_path)
    assert found["pairs"]["candidates"] == told["pairs"]["candidates"]
    assert (found["pairs"]["accepted"], found["filters"]["min_answer_chars"]) == (ran.json["kept"], 77)
    assert found["run"]["requests"] == 0
    assert run_factory("verify").code == 0
    again = run_factory("generate", "--docs", "manual", "--teacher", SPEC, "--json", teacher=teacher)
    assert (again.json["version"], again.json["requests"]) == ("v0002", 0)
    (tmp_path / "factory.toml").unlink()
    ran = run_factory("filter", "--json")
    assert (ran.json["path"], ran.json["kept"]) == ("factory-data/versions/v0003", told["pairs"]["accepted"])
    assert provenance(tmp_path) == places, "a split was drawn again"
    assert teacher.requests == asked


def test_what_it_drops_is_retired_with_the_reason_and_diff_tells(workspace, run_factory, tmp_path):
    before = provenance(tmp_path)
    (tmp_path / "factory.toml").write_text("[filters]\nmin_answer_chars = 92\n")
    dropped = run_factory("filter", "--json").json["dropped"]
    gone = before.keys() - provenance(tmp_path).keys()
    lines = (tmp_path / "factory-data" / "latest" / "retired.jsonl").read_text().splitlines()
    retired = {each["id"]: each for each in map(json.loads, lines)}
    assert (retired.keys(), len(gone) > 0) == (gone, True)
    assert {each["reason"] for each in retired.values()} == {"bad_length"}
    assert all("92" in each["detail"] and each["replaced_by"] is None for each in retired.values())
    assert all((each["split"], each["set"], each["document"]) == before[id_][:3] for id_, each in retired.items())
    told = run_factory("diff", "--json").json["pairs"]
    assert (told["reasons"], len(told["retired"])) == ({"bad_length": len(gone)}, len(gone))
    assert len(gone) < dropped["bad_length"]  # some were rejected before
    (tmp_path / "factory.toml").unlink()
    run_factory("filter")
    assert not (tmp_path / "factory-data" / "latest" / "retired.jsonl").exists()


def provenance(tmp_path):
    lines = (tmp_path / "factory-data" / "latest" / "provenance.jsonl").read_text().splitlines()
    return {row["id"]: (row["split"], row["set"], row["document"], row["lines"]) for row in map(json.loads, lines)}


def test_one_filter_is_left_out_and_the_table_shows_it(workspace, run_factory, tmp_path):
    told, _ = workspace
    ran = run_factory("filter", "--out", "factory-data", "--skip", "bad_length")
    assert ran.code == 0, ran.err
    assert "bad_length" not in ran.out
    assert "published: factory-data/versions/v0002" in ran.out
    pairs = manifest(tmp_path)["pairs"]
    assert pairs["accepted"] > told["pairs"]["accepted"]
    assert "bad_length" not in pairs["rejected"]
    assert pairs["candidates"] == told["pairs"]["candidates"]


def test_without_its_documents_a_pair_keeps_what_was_decided_by_its_section(workspace, run_factory, tmp_path):
    told, _ = workspace
    (tmp_path / "manual").rename(tmp_path / "moved")
    ran = run_factory("filter", "--json")
    assert ran.json["kept"] == told["pairs"]["accepted"]
    assert "cannot be looked up" in ran.err
    (tmp_path / "factory.toml").write_text('docs = ["moved"]')
    ran = run_factory("filter", "--json")
    assert (ran.err, ran.json["rows"]) == ("", told["pairs"]["candidates"])


def test_filters_that_would_leave_nothing_publish_nothing(workspace, run_factory, tmp_path):
    (tmp_path / "factory.toml").write_text("[filters]\nmin_answer_chars = 2000")
    ran = run_factory("filter", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "no pair would be left" in ran.err


def test_a_target_is_kept_and_nothing_goes_back_and_forth(workspace, run_factory, tmp_path):
    _, teacher = workspace
    arguments = ("generate", "--docs", "manual", "--teacher", SPEC, "--json", "--pairs", "20")
    first = run_factory(*arguments, teacher=teacher)
    assert run_factory("filter", "--json").json["path"] == first.json["path"]
    again = run_factory(*arguments, teacher=teacher)
    assert (again.json["version"], again.json["requests"]) == (first.json["version"], 0)


def test_a_folder_in_the_place_of_the_output_is_refused(run_factory, tmp_path):
    (tmp_path / "rows.jsonl").write_text('{"question": "What is the first of them?", "answer": "It is the one."}\n')
    (tmp_path / "to" / "rows.jsonl").mkdir(parents=True)
    ran = run_factory("filter", "rows.jsonl", "--to", "to")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "it is a folder" in ran.err
    assert not (tmp_path / "to" / "rejected.jsonl").exists()
