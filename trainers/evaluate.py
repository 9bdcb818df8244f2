"""Put the questions of an exam to every system, and grade what each says.

    ask_teacher(remote, desk, paper) ─▶ [Answer] of ``teacher`` (reads the section: the ceiling) and ``teacher_alone``
    ask_student(student, paper) ─▶ [Answer] of ``student``, or of ``base``
    ask_base_with_docs(base, desk, paper, retriever) ─▶ [Answer] of ``base_with_docs``

Every answer is kept with the conversation that led to it and with its grade, so that a score can be read row by row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from generators.records import Chunk
from generators.teachers import Message
from generators.tokens import count_tokens
from trainers.abstaining import declines
from trainers.baseline import Retriever
from trainers.exam import Question
from trainers.general import ANSWER_TOKENS, GeneralItem, general_items, passes
from trainers.grading import Grade, Key, grade
from trainers.judging import Judgement
from trainers.prompting import Desk, answer_request, conversation
from trainers.remote import Heard

# In the order of tables.
SYSTEMS = ("teacher", "teacher_alone", "student", "base", "base_with_docs")
_LEAST_TOKENS, _MOST_TOKENS = 64, 256


class Student(Protocol):
    """A model on this machine that answers many conversations at once; ``trainers.student`` opens them."""

    @property
    def spec(self) -> str:
        """How people name it."""

    def answer_all(self, conversations: Sequence[Sequence[Message]], max_tokens: int) -> list[str]:
        """Answer each conversation, in their order."""


class Asked(Protocol):
    """The teacher; ``remote.Remote`` is one."""

    @property
    def spec(self) -> str:
        """How people name it."""

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""

    async def replies(self, requests: Sequence[Any]) -> list[Heard]:
        """Ask all; what came of each, in their order."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What one exam asks.

    Attributes:
        questions: Seen and unseen ones.
        sources: Question id → the section that its answer stands in.
        unanswerable: Questions that the documents do not answer; for student and base.
        general: The general set; for student and base.
    """

    questions: Sequence[Question]
    sources: Mapping[str, Chunk] = field(default_factory=dict)
    unanswerable: Sequence[Question] = ()
    general: Sequence[GeneralItem] = field(default_factory=general_items)

    def source(self, question: Question) -> Chunk:
        """The section of a question; its quotes, where the version does not hold it."""
        found = self.sources.get(question.id)
        text = "\n".join(question.quotes)
        return found or Chunk(question.chunk, question.document, (), text, 0, 0, count_tokens(text))

    def key(self, question: Question) -> Key:
        """What answers to a question are graded by."""
        return Key(question.text, question.reference, question.quotes, self.source(question).text)

    @property
    def room(self) -> int:
        """Tokens that an answer may take: twice the longest reference, within bounds."""
        longest = max((count_tokens(question.reference) for question in self.questions), default=0)
        return min(_MOST_TOKENS, max(_LEAST_TOKENS, 2 * longest))


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of one system.

    Attributes:
        system: ``teacher``, ``student``, …
        spec: The model behind it.
        question: What was asked.
        messages: The conversation as the model saw it.
        text: What it said; empty where it would not.
        grade: By the rules.
        judgement: By the judge, if there is one.
        lost: Why there is no answer for now; such questions count for no system.
    """

    system: str
    spec: str
    question: Question
    messages: tuple[Message, ...]
    text: str
    grade: Grade
    judgement: Judgement | None = None
    lost: str = ""

    def record(self) -> dict[str, Any]:
        """The row of ``answers.jsonl``."""
        question = self.question
        return {
            "id": question.id,
            "set": question.set,
            "system": self.system,
            "spec": self.spec,
            "kind": question.kind,
            "document": question.document,
            "lines": question.lines,
            "chunk": question.chunk,
            "question": question.text,
            "reference": question.reference,
            "quotes": list(question.quotes),
            "messages": [{"role": turn.role, "content": turn.content} for turn in self.messages],
            "answer": self.text,
            "lost": self.lost,
            "grade": asdict(self.grade),
            "judge": None if self.judgement is None else asdict(self.judgement),
        }


async def ask_teacher(teacher: Asked, desk: Desk, paper: Paper) -> list[Answer]:
    """Ask the teacher every question twice: with the section before it, and from memory."""
    asked = [(system, question) for system in SYSTEMS[:2] for question in paper.questions]
    requests = [
        answer_request(
            desk, question.text, [paper.source(question)] if system == "teacher" else (), is_local=teacher.is_local
        )
        for system, question in asked
    ]
    heard = await teacher.replies(requests)
    return [
        replace(_graded(system, teacher.spec, question, request.messages, reply.text, paper), lost=reply.lost)
        for (system, question), request, reply in zip(asked, requests, heard, strict=True)
    ]


def ask_student(student: Student, system: str, paper: Paper, retriever: Retriever | None = None) -> list[Answer]:
    """Ask a student or its base everything as it was trained: closed-book, or with the section that is found for it.

    Args:
        student: Who is asked.
        system: ``student`` or ``base``.
        paper: The questions.
        retriever: For a student that was trained to read.
    """
    questions = [*paper.questions, *paper.unanswerable]
    conversations = [_with_section(question, retriever) for question in questions]
    texts = student.answer_all(conversations, paper.room)
    answers = [_graded(system, student.spec, *row, paper) for row in zip(questions, conversations, texts, strict=True)]
    return [*answers, *_ask_general(student, system, paper.general)]


def ask_base_with_docs(base: Student, desk: Desk, paper: Paper, retriever: Retriever) -> list[Answer]:
    """Ask the base with the sections before each question that BM25 finds for it."""
    conversations = [conversation(desk, each.text, retriever.top(each.text)) for each in paper.questions]
    texts = base.answer_all(conversations, paper.room)
    return [
        _graded("base_with_docs", base.spec, *row, paper)
        for row in zip(paper.questions, conversations, texts, strict=True)
    ]


def _with_section(question: Question, retriever: Retriever | None) -> tuple[Message, ...]:
    """The conversation, with the best section's text before the question, as readers are trained."""
    found = retriever.top(question.text, 1) if retriever else []
    if not found:
        return question.messages
    return (*question.messages[:-1], Message("user", f"{found[0].text}\n\n{question.text}"))


def _ask_general(student: Student, system: str, items: Sequence[GeneralItem]) -> list[Answer]:
    conversations = [(Message("user", item.question),) for item in items]
    texts = student.answer_all(conversations, ANSWER_TOKENS)
    return [_graded_general(system, student.spec, item, text) for item, text in zip(items, texts, strict=True)]


def _graded(system: str, spec: str, question: Question, messages: Sequence[Message], text: str, paper: Paper) -> Answer:
    if question.set == "unanswerable":
        found = Grade("correct" if declines(text) else "incorrect", 0.0, how="declined")
    else:
        found = grade(paper.key(question), text)
    return Answer(system, spec, question, tuple(messages), text, found)


def _graded_general(system: str, spec: str, item: GeneralItem, text: str) -> Answer:
    messages = (Message("user", item.question),)
    check = json.dumps(dict(item.check), ensure_ascii=False)
    question = Question(item.id, "general", item.question, check, (), item.id, "", "", item.kind, messages)
    found = Grade("correct" if passes(item, text) else "incorrect", 0.0, how="rules")
    return Answer(system, spec, question, messages, text, found)


def heard_by_all(answers: Sequence[Answer]) -> tuple[list[Answer], set[str]]:
    """The answers to questions that no system lost, and the ids of those that one did: comparisons stay paired."""
    lost = {answer.question.id for answer in answers if answer.lost}
    return [answer for answer in answers if answer.question.id not in lost], lost
