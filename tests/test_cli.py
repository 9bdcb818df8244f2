"""The command line as people meet it: one line for each fault, settings and where they come from, keys kept quiet."""

import os
import pty
import re
import select
import subprocess
from pathlib import Path

import pytest
from conftest import answer, clean_environment, command, write_manual

from factory import __version__
from factory.config import Settings, resolve
from generators.errors import UsageError
from generators.teachers.scripted import KEY, Fault

SPEC = "openai/scripted-1"
GENERATE = ("generate", "--docs", "manual", "--teacher", SPEC)
BROKEN_TEMPLATE = "{% block system %}{{ nonsense }}{% endblock %}{% block user %}{{ sections }}{% endblock %}"

# (what the folder holds beside a manual, arguments, environment, exit code, what the line says)
BAD = {
    "no documents named": ({}, ("generate",), {}, 2, "--docs ./api_docs"),
    "no such folder": ({}, ("generate", "--docs", "nowhere"), {}, 2, "nowhere does not exist"),
    "an empty folder": ({"empty/.keep": ""}, ("generate", "--docs", "empty"), {}, 2, "no documents in empty"),
    "nothing readable": (
        {"pictures/a.png": "x", "pictures/b.bin": "y"},
        ("generate", "--docs", "pictures", "--quiet"),
        {},
        2,
        "none of the 2 files in pictures can be read, for example a.png",
    ),
    "nothing but blanks": ({"blank/a.md": " \n"}, ("generate", "--docs", "blank", "--quiet"), {}, 2, "file is empty"),
    "no provider": ({}, (*GENERATE[:3], "--teacher", "x"), {}, 2, "write one of: openai/MODEL"),
    "an unknown provider": ({}, (*GENERATE[:3], "--teacher", "acme/m"), {}, 2, "unknown provider 'acme'"),
    "an unknown local model": ({}, (*GENERATE[:3], "--teacher", "local/nonesuch"), {}, 2, "nonesuch"),
    "a model file that is not there": ({}, (*GENERATE[:3], "--teacher", "local:/no/m.gguf"), {}, 2, "/no/m.gguf"),
    "no key for OpenAI": ({}, GENERATE, {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}, 4, "OPENAI_API_KEY"),
    "no key for Anthropic": (
        {},
        (*GENERATE[:3], "--teacher", "anthropic/claude"),
        {"ANTHROPIC_API_KEY": "", "ANTHROPIC_BASE_URL": ""},
        4,
        "ANTHROPIC_API_KEY",
    ),
    "a base URL that is none": ({}, GENERATE, {"OPENAI_BASE_URL": "nonsense"}, 2, "base URL is not of the form"),
    "no such template": ({}, (*GENERATE, "--template", "mine"), {}, 2, "no template 'mine'"),
    "a template with a missing variable": (
        {"mine.jinja": BROKEN_TEMPLATE},
        (*GENERATE, "--template", "mine.jinja"),
        {},
        2,
        "mine.jinja, line 1: unknown variable 'nonsense'",
    ),
    "a template with a mistake": (
        {"mine.jinja": "{% block system %}\n{% if %}"},
        (*GENERATE, "--template", "mine.jinja"),
        {},
        2,
        "mine.jinja, line 2",
    ),
    "an unknown key in factory.toml": ({"factory.toml": "teachr = 'x'"}, GENERATE, {}, 2, "no setting 'teachr'"),
    "an unknown variable": ({}, GENERATE, {"FACTORY_PARIS": "1"}, 2, "FACTORY_PARIS: did you mean FACTORY_PAIRS?"),
    "a variable of another program": ({}, GENERATE, {"FACTORY_ZZ9": "1"}, 2, "FACTORY_ZZ9: see 'factory"),
    "a table as a variable": ({}, GENERATE, {"FACTORY_FILTERS": "1"}, 2, "[filters] stands in factory.toml"),
    "a broken factory.toml": ({"factory.toml": "teacher = \n"}, GENERATE, {}, 2, "line 1"),
    "a filter that is none": (
        {"factory.toml": "[filters]\nskip = ['spelling']"},
        GENERATE,
        {},
        2,
        "no filter 'spelling'",
    ),
    "a threshold out of bounds": (
        {"factory.toml": "[filters]\nnear_duplicate = 70"},
        GENERATE,
        {},
        2,
        "near_duplicate = 70.0 must be from 0 to 1",
    ),
    "a number of pairs that is none": ({}, (*GENERATE, "--pairs", "many"), {}, 2, "'many' is neither 'auto' nor"),
    "no pairs": ({}, (*GENERATE, "--pairs", "0"), {}, 2, "'0' is neither 'auto' nor a number"),
    "a cap that caps nothing": ({}, (*GENERATE, "--max-cost", "nan"), {}, 2, "max_cost = nan"),
    "an unknown flag": ({}, (*GENERATE, "--fast"), {}, 2, "--fast"),
    "an unknown command": ({}, ("generat",), {}, 2, "factory --help"),
    "no workspace": ({}, ("status",), {}, 2, "there is no workspace factory-data"),
    "no such prompt": ({}, ("prompts", "show", "mine"), {}, 2, "no template 'mine'"),
    "a copy over a file": ({"facts.jinja": "x"}, ("prompts", "copy", "facts"), {}, 2, "facts.jinja exists"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_that_says_what_to_do(case, run_factory, teacher, tmp_path):
    files, arguments, environment, code, says = BAD[case]
    write_manual(tmp_path / "manual", pages=("alerts",))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = sorted(tmp_path.rglob("*"))
    ran = run_factory(*arguments, teacher=teacher, env=environment)
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert ran.err.startswith("factory: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err
    assert teacher.requests == 0
    assert sorted(tmp_path.rglob("*")) == before, "something was left half-written"


def test_version_and_help_go_to_stdout(run_factory):
    ran = run_factory("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"factory, version {__version__}\n", "")
    ran = run_factory("generate", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "--max-cost" in ran.out


# Settings.


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("FACTORY_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_flag_goes_before_environment_before_file_before_default(folder, monkeypatch):
    def found(**flags):
        settings = resolve({"teacher": None, "docs": (), **flags}, folder)
        return settings.teacher, settings.sources["teacher"]

    assert found() == (Settings().teacher, "default")
    (folder / "factory.toml").write_text('teacher = "openai/file"\n')
    assert found() == ("openai/file", str(folder / "factory.toml"))
    monkeypatch.setenv("FACTORY_TEACHER", "openai/environment")
    assert found() == ("openai/environment", "FACTORY_TEACHER")
    assert found(teacher="openai/flag") == ("openai/flag", "flag")
    monkeypatch.setenv("FACTORY_TEACHER", "")
    assert found() == ("openai/file", str(folder / "factory.toml"))


def test_every_kind_of_setting_is_read_in_its_own_type(folder, monkeypatch):
    (folder / "factory.toml").write_text(
        'docs = ["a", "b"]\npairs = "auto"\nmax_cost = 2\nconcurrency = 4\nsystem_prompt = ""\n'
        '[filters]\nskip = ["refusal"]\nquote_similarity = 1\nwordings_a_fact = 9\n[prices]\n"openai/x" = [1, 2.5]\n'
    )
    monkeypatch.setenv("FACTORY_EXCLUDE", os.pathsep.join(["drafts/**", "*.txt"]))
    monkeypatch.setenv("FACTORY_SEED", "7")
    settings = resolve({"seed": None, "max_cost": 0.0}, folder)
    assert (settings.docs, settings.exclude, settings.pairs) == (("a", "b"), ("drafts/**", "*.txt"), 0)
    assert (settings.max_cost, settings.concurrency, settings.seed, settings.system_prompt) == (0.0, 4, 7, "")
    assert (settings.filters.skip, settings.filters.quote_similarity) == (("refusal",), 1.0)
    assert (settings.filters.wordings_a_fact, settings.prices) == (9, {"openai/x": (1.0, 2.5)})


@pytest.mark.parametrize(
    "line",
    [
        "pairs = 0",
        "pairs = true",
        "pairs = 1.5",
        "concurrency = -1",
        "seed = '7 or so'",
        "max_cost = nan",
        "max_cost = -1",
        "temperature = 'hot'",
        "test_share = 10",
        "docs = 5",
        "include = ['a', 1]",
        "teacher = 5",
        "filters = 5",
        "prices = 5",
        "[filters]\nquote_similarity = 90",
        "[filters]\nskip = 'refusal'",
        "[filters]\nwordings_a_fact = 0",
        "[prices]\n'openai/x' = 5",
        "[prices]\n'openai/x' = [1]",
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(folder, line):
    (folder / "factory.toml").write_text(line)
    with pytest.raises(UsageError, match=re.search(r"(\w+)(?: =|')", line.rpartition("\n")[2])[1]) as caught:
        resolve({}, folder)
    assert "factory.toml" in str(caught.value)


def test_a_settings_file_can_be_named(folder, monkeypatch):
    (folder / "other.toml").write_text("seed = 3")
    monkeypatch.setenv("FACTORY_CONFIG_FILE", str(folder / "other.toml"))
    assert resolve({}, folder / "nowhere").seed == 3
    monkeypatch.setenv("FACTORY_CONFIG_FILE", str(folder / "none.toml"))
    with pytest.raises(UsageError, match=r"none\.toml, which does not exist"):
        resolve({}, folder)


def test_status_says_where_each_setting_came_from(run_factory, tmp_path):
    (tmp_path / "factory.toml").write_text("seed = 3")
    (tmp_path / "mine").mkdir()
    ran = run_factory("status", "--out", "mine", "--json", env={"FACTORY_PAIRS": "5"})
    assert ran.code == 0
    assert ran.json["versions"] == []
    expected = {"out": "flag", "pairs": "FACTORY_PAIRS", "seed": str(tmp_path / "factory.toml"), "teacher": "default"}
    assert expected.items() <= ran.json["settings"].items()


def test_a_key_in_the_environment_is_never_spent_unasked(manual, run_factory, teacher, tmp_path):
    ran = run_factory("generate", "--docs", "manual", "--dry-run", "--json", teacher=teacher)
    assert (ran.code, ran.json["cost_usd"]["high"], teacher.requests) == (0, 0, 0)


# What is printed.


def test_data_goes_to_stdout_and_chatter_to_stderr(manual, run_factory, teacher, tmp_path):
    ran = run_factory(*GENERATE, teacher=teacher, env={"NO_COLOR": "1"})
    assert ran.code == 0
    assert "198 accepted of 198 candidates" in ran.out
    assert ran.out.count("    Q: ") == ran.out.count("    A: ") == 3
    assert "published: factory-data/versions/v0001" in ran.out
    assert "teacher: openai/scripted-1 (flag)" in ran.err
    assert "\x1b" not in ran.out + ran.err
    ran = run_factory(*GENERATE, "--json", "--quiet", teacher=teacher)
    assert (ran.code, ran.err, ran.json["version"]) == (0, "", "v0001")
    ran = run_factory("status", teacher=teacher)
    assert "openai/scripted-1: 11 replies" in ran.out
    assert "cost unknown" in ran.out
    ran = run_factory("verify", "--json")
    assert (ran.code, ran.json) == (0, {"versions": 1, "replies": 11, "maybe_paid": 0, "problems": []})
    (tmp_path / "factory-data" / "latest" / "train.jsonl").write_text("")
    ran = run_factory("verify", "--json")
    assert (ran.code, len(ran.json["problems"])) == (2, 1)
    ran = run_factory("verify")
    assert ran.code == 2
    assert "next: put what is damaged back from a copy" in ran.out
    assert "factory-data/latest away and run 'factory generate' again" in ran.out


def test_status_speaks_of_settings_as_people_do(run_factory, tmp_path):
    (tmp_path / "factory.toml").write_text(
        "seed = 3\ninclude = ['*.md', '*.rst']\n[filters]\nnear_duplicate = 0.8\n[privacy]\nsalt = 'hush'\n"
        "[prices]\n'openai/x' = [1, 2.5]\n"
    )
    (tmp_path / "mine").mkdir()
    ran = run_factory("status", "--out", "mine")
    file = str(tmp_path / "factory.toml")
    shown = [line.strip().split(maxsplit=1) for line in ran.out.splitlines()]
    for name, value, source in (
        ("pairs", "auto", "default"),
        ("max_cost", "none", "default"),
        ("include", "*.md, *.rst", file),
        ("near_duplicate", "0.8", file),
        ("wordings_a_fact", "6", "default"),
        ("email", "redact", "default"),
        ("salt", "set", file),
        ("openai/x", "1.0 in, 2.5 out (USD a million tokens)", file),
    ):
        assert [name, f"{value}  ({source})"] in [[each[0], each[-1].strip()] for each in shown]
    assert "[filters]" in ran.out
    assert not {"None", "()", "hush"} & set(ran.out.split())


def test_no_color_on_a_terminal(manual, serve, tmp_path):
    """A bar, but in no colour; on a terminal that is one."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        command(*GENERATE, "--concurrency", 4),
        cwd=tmp_path,
        env=clean_environment(tmp_path, serve(delay=0.2), NO_COLOR="1", TERM="xterm-256color", COLUMNS="100"),
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    while select.select([main], [], [], 30)[0]:
        try:
            shown += os.read(main, 65536)
        except OSError:  # the other end has gone
            break
    assert process.wait() == 0
    assert b"asking" in shown
    assert b"11/11" in shown
    assert not re.search(rb"\x1b\[[0-9;]*[34][0-7]m|\x1b\[38;", shown)


def test_a_reader_that_goes_away_is_no_fault(manual, teacher, tmp_path):
    line = " ".join(command(*GENERATE))
    done = subprocess.run(
        ["bash", "-c", f"{line} | head -1; echo ${{PIPESTATUS[0]}}; {line} >&-; echo $?"],
        cwd=tmp_path,
        env=clean_environment(tmp_path, teacher),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == [b"0", b"0"]
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_change_nothing_else(manual, teacher, tmp_path, closed):
    line = " ".join(command(*GENERATE, "--json"))
    environment = clean_environment(tmp_path, teacher)
    ran = subprocess.run(
        ["bash", "-c", f"{line} >printed {closed}"], cwd=tmp_path, env=environment, check=False, timeout=300
    )
    assert ran.returncode == 0
    printed = (tmp_path / "printed").read_text()
    assert len(printed.splitlines()) == (">&- 2" not in closed)
    for path in (tmp_path / "factory-data").rglob("*"):
        assert not path.is_file() or b"teacher: openai" not in path.read_bytes()
    verified = subprocess.run(command("verify"), cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert verified.returncode == 0, verified.stdout


def test_output_that_finds_the_disk_full_is_exit_6(manual, start_factory, teacher):
    with Path("/dev/full").open("wb") as full:
        process = start_factory(*GENERATE, "--dry-run", teacher=teacher, stdout=full)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 6
    assert said.count(b"\n") == 1


def test_any_locale_will_do(run_factory, serve, tmp_path):
    docs = write_manual(tmp_path / "größe", pages=("alerts",))
    (docs / "naïve.md").write_text("# Füße\n\nThe `odd_value` value of the Größe service is 5 → it is counted.\n")
    ascii_only = {
        "LC_ALL": "C",
        "LANG": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    arguments = ("generate", "--docs", "größe", "--teacher", SPEC, "--include", "na*")
    ran = run_factory(*arguments, teacher=serve(), env=ascii_only)
    assert ran.code == 0, ran.err
    assert "A: The `odd_value` value" in ran.out
    assert (tmp_path / "factory-data" / "latest" / "train.jsonl").read_bytes().count("Größe".encode()) == 3
    ran = run_factory(*arguments, "--json", teacher=serve(), env=ascii_only)
    assert (ran.code, ran.json["pairs"]["accepted"]) == (0, 3)


def test_terminal_escapes_of_documents_and_replies_are_not_printed(run_factory, serve, tmp_path):
    docs = write_manual(tmp_path / "manual", pages=("alerts",), sections=("Limits",))
    (docs / "evil\x1b[31m.md").write_text(
        "# x\n\nThe `evil_value` \x1b]0;owned\x07 value of the service is 5 and counted.\n"
    )
    (docs / "evil\x1b[32m.bin").write_bytes(b"\x00")
    ran = run_factory(*GENERATE, teacher=serve())
    assert ran.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", ran.out + ran.err)


# Keys.


@pytest.mark.parametrize(("provider", "fault"), [("openai", "unauthorized"), ("anthropic", "unknown_model")])
def test_what_needs_a_person_is_exit_4_without_the_key(manual, run_factory, serve, tmp_path, provider, fault):
    teacher = serve(lambda _: Fault(fault))
    ran = run_factory("generate", "--docs", "manual", "--teacher", f"{provider}/scripted-1", "--quiet", teacher=teacher)
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.count("\n") == 1
    assert KEY[-6:] not in ran.err
    assert not (tmp_path / "factory-data" / "latest").exists()


@pytest.mark.parametrize(
    "broken",
    [
        {"OPENAI_API_KEY": "sk-first-0123456789\nsk-second-0123456789"},
        {"OPENAI_API_KEY": "sk-first-0123456789\x07"},
        {"OPENAI_PROJECT_ID": "proj\n-0123456789"},
        {"ANTHROPIC_API_KEY": "sk-first-0123456789\r\n x"},
        {"ANTHROPIC_AUTH_TOKEN": "sk-first-0123456789\x1b"},
    ],
    ids=["two lines", "bell", "another header", "anthropic", "token"],
)
def test_a_key_that_cannot_be_sent_is_for_a_person_and_counts_as_nothing(manual, run_factory, teacher, broken):
    [variable] = broken
    spec = f"{variable.partition('_')[0].lower()}/scripted-1"
    ran = run_factory("generate", "--docs", "manual", "--teacher", spec, "--quiet", teacher=teacher, env=broken)
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1), ran.err
    assert "0123456789" not in ran.err
    assert "control character" in ran.err
    assert teacher.requests == 0
    (manual.parent / "factory-data").mkdir(exist_ok=True)
    assert run_factory("status", "--json").json["maybe_paid"] in (0, [])


def test_keys_stand_in_no_output_and_in_no_file(manual, run_factory, serve, tmp_path):
    def echoing(request):
        told = answer(request)
        if request.n == 3:
            told["facts"][0]["answer"] += " (seen: " + request.headers["authorization"][:11] + "…)"
        return Fault("status", status=503, retry_after="0") if request.attempt == 1 and request.n == 2 else told

    ran = run_factory(*GENERATE, teacher=serve(echoing))
    assert ran.code == 0
    status = run_factory("status", teacher=serve())
    printed = (ran.out + ran.err + status.out + status.err).encode()
    written = [path.read_bytes() for path in (tmp_path / "factory-data").rglob("*") if path.is_file()]
    assert len(written) > 8
    assert not [text for text in (printed, *written) if KEY.encode() in text or KEY[-8:].encode() in text]
