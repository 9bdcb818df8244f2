"""One exam from end to end: questions ─▶ answers of all systems ─▶ grades ─▶ figures ─▶ verdict.

    examine(workspace, candidate, settings, listener) ─▶ Score

The teacher and the judge go through the journal, so an exam that was cut off buys nothing twice. Student and base are
opened one after the other.
"""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from factory.agreement import Agreement, agreement
from factory.candidate import Candidate
from factory.config import Settings
from factory.remotes import Listener, Remotes
from factory.store import Workspace
from generators.errors import ShortError
from trainers.baseline import Retriever
from trainers.evaluate import Answer, Paper, ask_base_with_docs, ask_student, ask_teacher, heard_by_all
from trainers.exam import Exam, choose, choose_unanswerable, read_exam, sources_of
from trainers.figures import Figures, figures
from trainers.judging import Preference, compare_all, grade_all, is_own_teacher
from trainers.prompting import Desk, open_desk
from trainers.remote import Remote
from trainers.verdict import Verdict, decide

CPU_QUESTIONS, GPU_QUESTIONS = 60, 400
# Unanswerable questions beside so many others.
_UNANSWERABLE_SHARE = 1 / 3
# More answers lost than this, and what is left says nothing of the rest.
_MOST_LOST = 0.1


@dataclass(slots=True)
class Score:
    """What an exam ends with.

    Attributes:
        version, student: Names of what was examined.
        teacher, judge: SPECs; no judge is an empty text.
        own_teacher: The judge taught the student that it judges.
        answers: All that were given, with their grades.
        by_rules, by_judge: The figures.
        preferences: Of the judge, between student and teacher.
        verdict: Ship or hold.
        agreement: With a person's labels, where there are some.
        warnings: What a reader must know.
    """

    version: str
    student: str
    teacher: str
    judge: str = ""
    votes: int = 1
    own_teacher: bool = False
    answers: Sequence[Answer] = ()
    by_rules: Figures = field(default_factory=lambda: figures([]))
    verdict: Verdict = field(default_factory=lambda: Verdict("hold", ()))
    by_judge: Figures | None = None
    preferences: Sequence[Preference] = ()
    agreement: Agreement | None = None
    cost_usd: float | None = 0.0
    warnings: list[str] = field(default_factory=list)


async def examine(
    workspace: Workspace, candidate: Candidate, settings: Settings, listener: Listener, labels: Path | None = None
) -> Score:
    """Run the exam; the workspace must be locked.

    Args:
        workspace: Where the journal is.
        candidate: Who is examined.
        settings: ``against``, ``judge``, ``votes``, ``questions``, ``seed``, ``gate``, caps and prices.
        listener: Who is told what happens.
        labels: A person's labels of answers; see ``agreement``.

    Raises:
        UsageError: Nothing to examine with, or a setting that cannot be kept.
        TeacherError: The teacher or the judge needs a person.
        ShortError: A cap was met, or too many answers were lost; all that was answered is kept.
    """
    exam = read_exam(candidate.version)
    teacher = settings.against or exam.teacher
    score = Score(exam.version, candidate.name, teacher, settings.judge, settings.votes)
    paper = _paper(exam, settings)
    desk = open_desk(exam.name, settings.judge_template, settings.privacy)
    async with Remotes(workspace, settings, listener) as remotes:
        voice = remotes.open(teacher)
        judge = remotes.open(settings.judge) if settings.judge else None
        listener.note(
            f"{len(paper.questions)} questions of {exam.version} to {teacher}, with their sections and without"
        )
        answers = await ask_teacher(voice, desk, paper)
        _enough(answers)
        score.answers, lost = heard_by_all([*answers, *_ask_here(candidate, desk, exam, paper, listener.note)])
        if judge is not None:
            listener.note(f"judge: {judge.spec}")
            await _judge(score, judge, desk, paper)
        score.cost_usd = remotes.cost_usd
    if lost:
        score.warnings.append(f"{len(lost)} questions are left out: {teacher} did not answer them; run again for them")
    if labels is not None:
        score.agreement = agreement(labels, score.answers)
        score.warnings += score.agreement.warnings
    latest = workspace.latest_link.resolve().name
    if latest != exam.version:
        score.warnings.append(f"{candidate.name} was trained on {exam.version}; the latest version is {latest}")
    _conclude(score, settings, exam)
    return score


def question_limit(settings: Settings) -> int:
    """How many questions each system is asked."""
    if settings.questions:
        return settings.questions
    try:
        torch: Any = import_module("torch")
    except ImportError:
        return CPU_QUESTIONS
    return GPU_QUESTIONS if torch.cuda.is_available() else CPU_QUESTIONS


def _paper(exam: Exam, settings: Settings) -> Paper:
    limit = question_limit(settings)
    questions = choose(exam, limit, settings.seed)
    unanswerable = choose_unanswerable(exam, max(1, round(limit * _UNANSWERABLE_SHARE)), settings.seed)
    return Paper(questions, sources_of(exam, questions), unanswerable)


def _ask_here(
    candidate: Candidate, desk: Desk, exam: Exam, paper: Paper, note: Callable[[str], object]
) -> list[Answer]:
    """Student and base on this machine, one after the other."""
    retriever = Retriever(exam.chunks.values())
    note(f"student: {candidate.name}, {'with what BM25 finds' if candidate.reads else 'closed-book'}")
    student = candidate.systems["student"]()
    answers = ask_student(student, "student", paper, retriever if candidate.reads else None)
    del student
    gc.collect()
    note("base: closed-book, and with the sections that BM25 finds")
    base = candidate.systems["base"]()
    answers += ask_student(base, "base", paper)
    return answers + ask_base_with_docs(base, desk, paper, retriever)


def _enough(answers: Sequence[Answer]) -> None:
    lost = [answer.lost for answer in answers if answer.lost]
    if len(lost) > _MOST_LOST * len(answers):
        spec = answers[0].spec
        raise ShortError(
            f"{spec} left {len(lost)} of {len(answers)} questions without an answer ({lost[0]}); run again"
        )


async def _judge(score: Score, judge: Remote, desk: Desk, paper: Paper) -> None:
    """Have every answer of the exam graded, and the student's compared with the teacher's."""
    asked = [place for place, answer in enumerate(score.answers) if answer.question.set in ("seen", "unseen")]
    rows = [(paper.key(score.answers[place].question), score.answers[place].text) for place in asked]
    judged = dict(zip(asked, await grade_all(judge, desk, rows, score.votes), strict=True))
    score.answers = [
        replace(answer, judgement=judged[place]) if place in judged else answer
        for place, answer in enumerate(score.answers)
    ]
    without = sum(judgement.outcome is None for judgement in judged.values())
    if without:
        score.warnings.append(f"the judge {judge.spec} gave no usable grade for {without} answers: counted as wrong")
    texts = {(answer.system, answer.question.id): answer.text for answer in score.answers}
    pairs = [
        (paper.key(question), texts["student", question.id], texts["teacher", question.id])
        for question in paper.questions
        if ("student", question.id) in texts
    ]
    score.preferences = await compare_all(judge, desk, pairs)


def _conclude(score: Score, settings: Settings, exam: Exam) -> None:
    """Compute the figures, take the verdict by the grader that the gate trusts, and say what must be known."""
    score.by_rules = trusted = figures(score.answers, "rules", settings.seed)
    if settings.judge:
        score.by_judge = figures(score.answers, "judge", settings.seed)
        score.own_teacher = is_own_teacher(settings.judge, (score.teacher, exam.teacher))
        trusted = score.by_judge if settings.gate.by == "judge" else trusted
    score.verdict = decide(trusted, settings.gate, exam.taught_refusals)
    if score.own_teacher:
        score.warnings.append(
            f"the judge {settings.judge} also taught this student: such judges flatter their own (arXiv 2502.01534)"
        )
    if trusted.gap.warning:
        score.warnings.append(trusted.gap.warning)
    if not trusted.systems["student"]["unseen"].accuracy.n:
        score.warnings.append("no document is held out in this version: nothing is known of unseen questions")
