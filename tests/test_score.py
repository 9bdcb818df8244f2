"""Scoring a student over a real dataset and a real teacher on loopback; the students are small."""

import hashlib
import json
import re
import shutil
import signal

import pytest
from conftest import SPEC, SPEC_TAIL, answer, run_command, write_manual

from factory.candidate import Candidate, candidate_in
from factory.report import run_report
from factory.reports import newest_report
from factory.scoring import run_score
from factory.store import Workspace
from factory.whole_run import run_all
from generators.chunk_records import read_chunks
from generators.errors import ExitCode, ShortError, StoppedError, UsageError
from generators.teachers.scripted import Fault, ScriptedTeacher
from trainers.exam import choose, choose_unanswerable, read_exam
from trainers.judging import is_own_teacher

_NAME = re.compile(r"`(\w+)`")
_FACT = re.compile(r"The `(\w+)` [^.]+\.")
JUDGE = "openai/judge-1"


def tagged(text, tag):
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", text, re.DOTALL)
    return found[1] if found else ""


def exam_script(request):
    """Teacher and judge in one: reads facts off the section before it, and grades by comparing with the reference."""
    text = request.user
    if request.schema is None:
        asked = _NAME.search(text.rpartition("</section>")[2])
        return next((fact[0] for fact in _FACT.finditer(text) if asked and fact[1] == asked[1]), "I don't know.")
    if "grade" not in request.schema["properties"] and "better" not in request.schema["properties"]:
        return answer(request)
    right = tagged(text, "reference")
    if "grade" in request.schema["properties"]:
        return {"why": "compared", "grade": "correct" if tagged(text, "answer") == right else "incorrect"}
    first, second = (tagged(text, tag) == right for tag in ("first", "second"))
    return {"why": "compared", "better": "tie" if first == second else "first" if first else "second"}


class Pupil:
    """Knows a share of the manual's facts by heart; makes the others up, and declines what it never heard of."""

    def __init__(self, manual, share, spec="pupil", declines=True):
        self.spec, self.share, self.declines = spec, share, declines
        self.facts = {fact[1]: fact[0] for page in manual.glob("*.md") for fact in _FACT.finditer(page.read_text())}
        self.asked = []

    def answer_all(self, conversations, max_tokens):
        self.asked += conversations
        return [self._answer(conversation[-1].content) for conversation in conversations]

    def _answer(self, text):
        name = _NAME.search(text.rpartition("</section>")[2])
        if name is None or name[1] not in self.facts:
            return "I don't know." if self.declines else "It is 42."
        drawn = int(hashlib.sha256(name[1].encode()).hexdigest(), 16) % 100 / 100
        fact = self.facts[name[1]]
        return fact if drawn < self.share else re.sub(r"\d+", "7", fact)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A workspace with one published version, made by the command line."""
    folder = tmp_path_factory.mktemp("published")
    write_manual(folder / "manual")
    (folder / "factory.toml").write_text("test_share = 0.3\nproduct = 'Quayline'\n")
    with ScriptedTeacher(answer) as teacher:
        ran = run_command("generate", "--docs", "manual", *SPEC_TAIL, "--quiet", cwd=folder, teacher=teacher)
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture
def place(published, tmp_path, monkeypatch):
    """A copy of it to work in."""
    shutil.copytree(published, tmp_path / "place", symlinks=True)
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


@pytest.fixture
def asked(serve, monkeypatch):
    """A teacher and judge that the process's environment leads to: ``asked(script)``."""

    def start(script=exam_script):
        teacher = serve(script)
        for name, value in teacher.environment().items():
            monkeypatch.setenv(name, value)
        return teacher

    return start


def finder(place, share=0.9, base=0.05, **more):
    """How the student is found: a pupil instead of weights."""
    manual = place / "manual"
    systems = {"student": lambda: Pupil(manual, share, "pupil+s0001", **more), "base": lambda: Pupil(manual, base)}

    def find(workspace):
        return Candidate("s0001", workspace.versions / "v0001", systems)

    return find


def scored(place, *, gate=False, sample=0, labels=None, as_json=True, find=None, **flags):
    return run_score(
        {"out": "factory-data", **flags}, gate=gate, sample=sample, labels=labels, quiet=True, as_json=as_json,
        find=find or finder(place),
    )  # fmt: skip


def test_a_good_student_ships_and_every_figure_has_an_interval(place, asked):
    asked()
    before = signal.getsignal(signal.SIGTERM)
    said = scored(place, gate=True)
    assert signal.getsignal(signal.SIGTERM) == before
    found = json.loads(said.text)
    assert (said.code, found["verdict"]) == (ExitCode.DONE, "ship"), found["reasons"]
    assert list(found["systems"]) == ["teacher", "teacher_alone", "student", "base", "base_with_docs"]
    for sets in found["systems"].values():
        assert set(sets) == {"seen", "unseen"}
        for each in sets.values():
            low, high = each["ci95"]
            assert 0 <= low <= each["accuracy"] <= high <= 1
    seen = {system: sets["seen"]["accuracy"] for system, sets in found["systems"].items()}
    assert seen["teacher"] == 1
    assert seen["teacher_alone"] == 0
    expected = (seen["student"] - seen["base"]) / (seen["teacher"] - seen["base"])
    assert found["gap_closed"] == pytest.approx(expected, abs=1e-3)
    low, high = found["gap_closed_ci95"]
    assert low <= found["gap_closed"] <= high
    assert found["judge"] is None


def test_every_answer_is_kept_with_its_conversation_and_its_grade(place, asked):
    asked()
    found = json.loads(scored(place).text)
    rows = [json.loads(line) for line in (newest_report(place / "factory-data") / "answers.jsonl").open()]
    for system, sets in found["systems"].items():
        for name, each in sets.items():
            own = [row for row in rows if (row["system"], row["set"]) == (system, name)]
            right = sum(row["grade"]["outcome"] == "correct" for row in own)
            assert (len(own), right / len(own)) == (each["n"], pytest.approx(each["accuracy"], abs=1e-4))
    assert all(row["messages"][-1]["role"] == "user" and row["reference"] for row in rows)
    assert {row["set"] for row in rows} == {"seen", "unseen", "unanswerable", "general"}
    by_system = {row["system"]: row for row in rows if row["set"] == "seen"}
    assert "<section" in by_system["teacher"]["messages"][-1]["content"]
    assert "<section" not in by_system["student"]["messages"][-1]["content"]
    assert "<section" in by_system["base_with_docs"]["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("find", "reason"),
    [
        ({"share": 0.3}, "gap_closed"),
        ({"declines": False}, "refusals"),
    ],
)
def test_a_bad_student_is_held_and_the_gate_says_7(place, asked, find, reason):
    asked()
    said = scored(place, gate=True, find=finder(place, **find))
    found = json.loads(said.text)
    assert (said.code, found["verdict"]) == (ExitCode.HOLD, "hold")
    assert reason in [each["name"] for each in found["reasons"] if not each["passed"]]
    assert scored(place, find=finder(place, **find)).code == ExitCode.DONE


def test_nothing_is_bought_twice(place, asked):
    teacher = asked()
    one = json.loads(scored(place, judge=JUDGE).text)
    paid = teacher.requests
    assert paid > 0
    other = json.loads(scored(place, judge=JUDGE).text)
    assert teacher.requests == paid
    assert (one.pop("report"), other.pop("report")) == (
        "factory-data/reports/r0001",
        "factory-data/reports/r0002",
    )
    assert (one.pop("cost_usd"), other.pop("cost_usd")) == (None, 0)
    before, again = one.pop("last_score"), other.pop("last_score")
    assert before is None
    assert (again["report"], again["before"], again["change"]) == ("r0001", again["now"], 0)
    assert again["common"] > 0
    assert one == other


def test_the_judge_is_named_beside_its_figures(place, asked):
    asked()
    found = json.loads(scored(place, judge=JUDGE).text)
    judge = found["judge"]
    assert (judge["spec"], judge["own_teacher"], judge["votes"]) == (JUDGE, False, 1)
    assert judge["systems"]["teacher"]["seen"]["accuracy"] == 1
    pairs = judge["student_vs_teacher"]
    assert pairs["n"] == pairs["wins"] + pairs["ties"] + pairs["losses"] > 0
    assert (pairs["wins"], pairs["inconsistent"]) == (0, 0)
    assert judge["kappa_with_rules"] > 0.8
    page = (place / found["report"] / "report.md").read_text()
    assert f"graded by `{JUDGE}`" in page
    assert f"By the judge `{JUDGE}`" in page


def test_a_teacher_that_judges_its_own_student_is_called_so(place, asked):
    asked()
    found = json.loads(scored(place, judge=SPEC).text)
    assert found["judge"]["own_teacher"]
    assert any("also taught this student" in line for line in found["warnings"])
    assert "flatters it" in (place / found["report"] / "report.md").read_text()
    assert is_own_teacher("litellm/openai/gpt-5", ["openai/gpt-5"])
    assert not is_own_teacher("openai/gpt-5", ["openai/gpt-5-mini"])


def test_a_judge_that_goes_by_the_order_has_seen_ties(place, asked):
    def script(request):
        if request.schema and "better" in request.schema["properties"]:
            return {"why": "it came first", "better": "first"}
        return exam_script(request)

    asked(script)
    pairs = json.loads(scored(place, judge=JUDGE).text)["judge"]["student_vs_teacher"]
    assert (pairs["wins"], pairs["losses"], pairs["ties"]) == (0, 0, pairs["n"])
    assert pairs["inconsistent"] == pairs["n"]


def test_several_votes_are_several_requests(place, asked):
    teacher = asked()
    scored(place, judge=JUDGE, questions=6)
    one = teacher.requests
    scored(place, judge=JUDGE, questions=6, votes=3)
    assert teacher.requests > one


def test_a_judge_without_a_usable_reply_is_counted_and_said(place, asked):
    def script(request):
        return "no JSON at all" if request.schema and "grade" in request.schema["properties"] else exam_script(request)

    asked(script)
    found = json.loads(scored(place, judge=JUDGE).text)
    assert any("no usable grade" in line for line in found["warnings"])


def test_answers_that_were_lost_are_left_out_for_every_system(place, asked):
    def script(request):
        if request.schema is None and "caching" in request.user.rpartition("</section>")[2]:
            return Fault("status", status=400)
        return exam_script(request)

    asked(script)
    found = json.loads(scored(place).text)
    sizes = {(name, each["n"]) for sets in found["systems"].values() for name, each in sets.items()}
    assert len(sizes) == 2, "systems were compared on different questions"


def test_a_cap_ends_the_exam_with_what_was_bought_kept(place, asked):
    asked()
    (place / "factory.toml").write_text(f'[prices]\n"{SPEC}" = [1000, 1000]\n')
    with pytest.raises(ShortError, match="--max-cost"):
        scored(place, max_cost=0.01)
    with pytest.raises(UsageError, match="price of openai/judge-1 is unknown"):
        scored(place, max_cost=0.01, judge=JUDGE)


def test_a_sample_shows_three_systems_side_by_side(place, asked):
    asked()
    said = scored(place, sample=2, as_json=False)
    assert said.text.count("    Q  ") == 2
    for system in ("base", "student", "teacher"):
        assert said.text.count(f"    {system:<9}  [") == 2
    assert "verdict: ship" in said.text
    assert "report: factory-data/reports/r0001/report.md" in said.text


def test_what_a_person_labelled_tells_how_good_the_graders_are(place, asked):
    asked()
    scored(place, judge=JUDGE)
    file = place / "labels.jsonl"
    rows = [json.loads(line) for line in (newest_report(place / "factory-data") / "answers.jsonl").open()]
    labelled = [{**row, "person": row["grade"]["outcome"]} for row in rows if row["set"] == "seen"]
    file.write_text("".join(json.dumps(row) + "\n" for row in labelled))
    found = json.loads(scored(place, judge=JUDGE, labels=str(file)).text)
    assert found["agreement"]["rows"] == len(labelled)
    assert (found["agreement"]["rules"], found["agreement"]["rules_share"]) == (1, 1)
    assert found["agreement"]["judge"] > 0.8
    file.write_text('{"person": "perhaps", "id": "", "system": "", "answer": ""}\n')
    with pytest.raises(UsageError, match='line 1: "person" must be one of'):
        scored(place, labels=str(file))
    file.write_text('{"person": "correct", "id": "", "system": "", "answer": ""}\n')
    with pytest.raises(UsageError, match="labels none of these answers"):
        scored(place, labels=str(file))


def test_nothing_private_goes_to_the_judge(place, asked):
    heard = []

    def script(request):
        heard.append(request.user)
        return exam_script(request)

    asked(script)
    address = "jane.doe" + "@corp-mail.io"

    class Leaky(Pupil):
        def _answer(self, text):
            return f"{super()._answer(text)} Ask {address}."

    systems = {"student": lambda: Leaky(place / "manual", 0.9), "base": lambda: Pupil(place / "manual", 0.1)}
    find = lambda workspace: Candidate("s0001", workspace.versions / "v0001", systems)  # noqa: E731
    scored(place, judge=JUDGE, find=find)
    assert heard
    assert not any(address in text for text in heard)


def test_a_student_that_was_trained_to_read_gets_a_section(place, asked):
    asked()
    pupil = Pupil(place / "manual", 0.9)
    systems = {"student": lambda: pupil, "base": lambda: Pupil(place / "manual", 0.1)}
    scored(place, find=lambda workspace: Candidate("s0001", workspace.versions / "v0001", systems, reads=True))
    chunks = [chunk.text for chunk in read_chunks(place / "factory-data" / "latest")]
    first = pupil.asked[0][-1].content
    assert any(first.startswith(f"{text}\n\n") for text in chunks)


# The exam.


def test_questions_are_capped_spread_and_drawn_by_seed(place):
    exam = read_exam(place / "factory-data" / "latest")
    one = choose(exam, 12, seed=1)
    assert one == choose(exam, 12, seed=1) != choose(exam, 12, seed=2)
    assert [question.set for question in one] == ["seen"] * 8 + ["unseen"] * 4
    assert len({question.document for question in one if question.set == "seen"}) >= 6
    everything = choose(exam, 10_000, seed=1)
    assert {question.id for question in everything} == {each.id for each in exam.questions}
    few_unseen = choose(exam, len(everything) - 1, seed=1)
    assert len(few_unseen) == len(everything) - 1


def test_unanswerable_questions_name_what_nobody_uses_and_are_not_in_the_dataset(place):
    version = place / "factory-data" / "latest"
    exam = read_exam(version)
    made = choose_unanswerable(exam, 10, seed=0)
    assert 0 < len(made) <= 10
    known = (version / "chunks.jsonl").read_text()
    for question in made:
        name = _NAME.search(question.text)
        assert name is None or name[1] not in known
        assert question.messages[-1].content == question.text


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda version: (version / "chunks.jsonl").unlink(), "holds no sections"),
        (lambda version: (version / "chunks.jsonl").write_text("{}\n"), "cannot be read"),
        (lambda version: (version / "provenance.jsonl").write_text('{"split": "test"}\n'), "cannot be read"),
        (lambda version: (version / "provenance.jsonl").write_text(""), "empty of 'seen' questions"),
    ],
)
def test_a_version_without_an_exam_is_refused_in_one_line(place, asked, damage, says):
    teacher = asked()
    damage(place / "factory-data" / "versions" / "v0001")
    with pytest.raises(UsageError, match=says) as caught:
        scored(place)
    assert "\n" not in str(caught.value)
    assert teacher.requests == 0
    assert not (place / "factory-data" / "reports").exists()


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        (None, "cannot be read"),
        ({"dataset": "v0001"}, "names no base"),
        ({"base": {"spec": "smollm2-135m"}}, "names no version"),
        ({"base": "smollm2-135m", "dataset": {"version": "v0009"}}, "was trained on v0009, which is not in"),
    ],
)
def test_a_student_that_cannot_be_examined_is_refused_in_one_line(place, monkeypatch, manifest, says):
    students = place / "factory-data" / "students" / "s0001"
    students.mkdir(parents=True)
    if manifest is not None:
        (students / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=says):
        candidate_in(students, Workspace(place / "factory-data"), {})


def test_a_student_and_its_base_are_opened_when_their_turn_comes(place):
    students = place / "factory-data" / "students" / "s0001"
    students.mkdir(parents=True)
    manifest = {"base": {"spec": "smollm2-135m"}, "dataset": {"version": "v0001"}, "settings": {"context": "chunk"}}
    (students / "manifest.json").write_text(json.dumps(manifest))
    opened = []
    found = candidate_in(students, Workspace(place / "factory-data"), lambda *named: opened.append(named))
    assert (found.name, found.version.name, found.reads, opened) == ("s0001", "v0001", True, [])
    found.systems["student"]()
    found.systems["base"]()
    assert opened == [("smollm2-135m", students), ("smollm2-135m", None)]


# The command line.


@pytest.mark.parametrize(
    ("arguments", "toml", "says"),
    [
        (("score",), "", "there is no workspace"),
        (("score", "--out", "empty"), "", "nothing is published"),
        (("score", "--judge", "nonsense"), "", "not of the form PROVIDER/MODEL"),
        (("score", "--questions", "0"), "", "--questions"),
        (("score",), "[gate]\ngap_closed = 2\n", "gate.gap_closed = 2 must be from -1 to 1"),
        (("score",), "[gate]\nby = 'feeling'\n", "must be one of rules, judge"),
        (("score",), "[gate]\nspeed = 1\n", "no setting 'gate.speed'"),
        (("score",), "gate = 1\n", "must be a table"),
        (("report",), "", "there is no workspace"),
        (("report", "--out", "empty"), "", "nothing is published"),
        (("run",), "", "--docs"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(run_factory, tmp_path, arguments, toml, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "factory.toml").write_text(toml)
    ran = run_factory(*arguments)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert ran.err.count("\n") == 1
    assert says in ran.err


def test_a_gate_that_trusts_a_judge_needs_one(place):
    (place / "factory.toml").write_text("[gate]\nby = 'judge'\n")
    with pytest.raises(UsageError, match="name one with --judge"):
        scored(place)


def test_a_gate_may_trust_the_judge(place, asked):
    def strict(request):
        if request.schema and "grade" in request.schema["properties"]:
            return {"why": "no", "grade": "incorrect"}
        return exam_script(request)

    asked(strict)
    (place / "factory.toml").write_text("[gate]\nby = 'judge'\n")
    assert json.loads(scored(place, judge=JUDGE).text)["verdict"] == "hold"
    (place / "factory.toml").write_text("")
    assert json.loads(scored(place, judge=JUDGE).text)["verdict"] == "ship"


def test_report_prints_the_newest_page(place, asked, run_factory):
    asked()
    scored(place, find=finder(place, share=0.1))
    scored(place)
    ran = run_factory("report", cwd=place)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# Ship: s0001 on v0001")
    ran = run_factory("report", "--json", cwd=place)
    assert ran.json["score"]["verdict"] == "ship"
    assert run_report({"out": "factory-data"}, as_json=False).text.startswith(
        (place / "factory-data/reports/r0002/report.md").read_text().rstrip()
    )


def test_a_run_generates_trains_scores_and_gives_the_verdict(place, asked):
    asked()

    def train(flags, *, quiet):
        assert Workspace(place / flags["out"]).latest().name == "v0001"
        return {"adapter": "students/s0001"}

    def score(flags, **more):
        return run_score(flags, **more, find=finder(place))

    flags = {"docs": ("manual",), "out": "factory-data", "teacher": SPEC, "product": None}
    (place / "factory.toml").write_text(
        "test_share = 0.3\nproduct = 'Quayline'\nunanswerable_share = 0\nmulti_section_share = 0\n"
    )
    said = run_all(flags, gate=True, quiet=True, as_json=True, train=train, score=score)
    found = json.loads(said.text)
    assert list(found) == ["generate", "train", "score", "verdict"]
    assert (said.code, found["verdict"], found["train"]) == (0, "ship", {"adapter": "students/s0001"})
    assert found["score"]["verdict"] == found["verdict"]
    text = run_all(flags, gate=True, quiet=True, as_json=False, train=train, score=score).text
    assert text.startswith("# Ship: s0001")


def test_a_report_that_cannot_be_written_leaves_nothing_behind(place, asked):
    asked()
    (place / "factory-data" / "reports").write_text("in the way")
    with pytest.raises(StoppedError, match="cannot write"):
        scored(place)
