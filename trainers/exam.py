"""The questions that a student is examined with, read from a published version.

    version folder ─▶ read_exam ─▶ Exam(questions, chunks, …) ─▶ choose(60, seed) ─▶ [Question]

``seen``: another wording of a trained fact. ``unseen``: documents held out whole. Questions that the documents do not
answer stand apart as ``unanswerable``, with more of them made here where the version has few.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from generators.chunk_records import read_chunks
from generators.errors import UsageError
from generators.records import Chunk, Pair
from generators.teachers import Message
from generators.unanswerable import KIND, UnanswerableConfig, draw, unanswerable

Set = Literal["seen", "unseen", "unanswerable", "general"]
# The gate looks at the seen questions: they get the larger part of a limited number.
_SEEN_SHARE = 2 / 3
# Another seed than that of the version, whose own unanswerable questions may have been trained on.
_OTHER_SEED = 104_729


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the exam.

    Attributes:
        id: Of the pair.
        set: Which set it belongs to.
        text: As asked.
        reference: The right answer.
        quotes: Verbatim passages that carry it.
        chunk: Id of the section that they stand in.
        document: Its path, and ``lines`` its span.
        kind: What is asked for.
        messages: The conversation as the student was trained on it, up to the question.
    """

    id: str
    set: Set
    text: str
    reference: str
    quotes: tuple[str, ...]
    chunk: str
    document: str
    lines: str
    kind: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Exam:
    """All questions of a version, and what is needed to ask and to grade them.

    Attributes:
        version: Its name.
        name: What the documentation is about.
        teacher: SPEC of the teacher that wrote the version.
        questions: Of the test split, in the order of their ids.
        chunks: Sections by id, in the order of the documents.
        taught_refusals: Rows of the train split that say that something is not documented.
        system_prompt: The first message of every row; may be empty.
    """

    version: str
    name: str
    teacher: str
    questions: tuple[Question, ...]
    chunks: Mapping[str, Chunk]
    taught_refusals: int
    system_prompt: str


def read_exam(version: Path) -> Exam:
    """Read the exam of a version.

    Raises:
        UsageError: It cannot be read, holds no sections, or has no ``seen`` question to score by.
    """
    try:
        manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
        rows, provenance = _lines(version / "test.jsonl"), _lines(version / "provenance.jsonl")
        tested = [entry for entry in provenance if entry["split"] == "test"]
        questions = tuple(_question(entry, rows[entry["row"]]["messages"]) for entry in tested)
        taught = sum(entry["split"] == "train" and entry["kind"] == KIND for entry in provenance)
        name, teacher, prompt = manifest["name"], manifest["teacher"], manifest["system_prompt"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"the version in {version} cannot be read ({error!r}): run 'factory verify'") from error
    chunks = {chunk.id: chunk for chunk in read_chunks(version)}
    if not chunks:
        raise UsageError(f"{version} holds no sections (chunks.jsonl): generate once more into a fresh --out")
    if not any(question.set == "seen" for question in questions):
        raise UsageError(
            f"the test split of {version} is empty of 'seen' questions, so nothing can be scored: "
            "generate more pairs, or raise test_share in factory.toml"
        )
    return Exam(manifest["version"], name, teacher, questions, chunks, taught, prompt)


def choose(exam: Exam, limit: int, seed: int) -> list[Question]:
    """Choose at most ``limit`` questions, two thirds of them seen, spread evenly over the documents; by seed."""
    seen, unseen = ([each for each in exam.questions if each.set == name] for name in ("seen", "unseen"))
    most_seen = round(limit * _SEEN_SHARE)
    number_seen = min(len(seen), max(most_seen, limit - len(unseen)))
    return [*_spread(seen, number_seen, seed), *_spread(unseen, limit - number_seen, seed)]


def choose_unanswerable(exam: Exam, limit: int, seed: int) -> list[Question]:
    """The version's own unanswerable test questions, and others like them up to ``limit``; none twice."""
    own = [question for question in exam.questions if question.set == "unanswerable"]
    tested = [question for question in exam.questions if question.quotes]
    pairs = [_pair(question) for question in tested]
    config = UnanswerableConfig(share=1.0, seed=seed + _OTHER_SEED)
    made = unanswerable(pairs, exam.chunks, config)
    found = {question.text: question for question in own}
    for fact in sorted(made, key=lambda fact: draw("exam", seed, fact)):
        for pair in made[fact][:1]:
            found.setdefault(pair.question, _made(exam, pair))
    return list(found.values())[:limit]


def _pair(question: Question) -> Pair:
    """A pair as the maker of unanswerable questions wants it; each question stands for a fact of its own."""
    return Pair(
        question.id,
        question.id,
        question.text,
        question.reference,
        question.quotes,
        question.kind,
        question.chunk,
        "",
        "",
    )


def _made(exam: Exam, pair: Pair) -> Question:
    chunk = exam.chunks[pair.chunk]
    head = (Message("system", exam.system_prompt),) if exam.system_prompt else ()
    messages = (*head, Message("user", pair.question))
    where = (pair.chunk, chunk.document, chunk.lines)
    return Question(pair.id, "unanswerable", pair.question, pair.answer, (), *where, KIND, messages)


def _question(entry: Mapping[str, Any], chat: Sequence[Mapping[str, str]]) -> Question:
    name: Set = "unanswerable" if entry["kind"] == KIND else "unseen" if entry["set"] == "unseen" else "seen"
    asked = tuple(Message(turn["role"], turn["content"]) for turn in chat[:-1])  # type: ignore[arg-type]
    question = Question(
        entry["id"], name, asked[-1].content, chat[-1]["content"], tuple(entry["quotes"]), entry["chunk"],
        entry["document"], entry["lines"], entry["kind"], asked,
    )  # fmt: skip
    return replace(question, document=question.document or "?")


def _spread(questions: Sequence[Question], count: int, seed: int) -> list[Question]:
    """So many questions, each document in proportion: every n-th of a list that keeps documents together."""
    by_document: dict[str, list[Question]] = defaultdict(list)
    for question in sorted(questions, key=lambda each: draw("exam", seed, each.id)):
        by_document[question.document].append(question)
    ordered = [each for document in sorted(by_document) for each in by_document[document]]
    if count >= len(ordered):
        return ordered
    start = draw("start", seed)
    return [ordered[int((number + start) * len(ordered) / count)] for number in range(count)]


def _lines(file: Path) -> list[Any]:
    # Not splitlines(): U+2028 and friends inside a JSON string end no row.
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


def sources_of(exam: Exam, questions: Iterable[Question]) -> dict[str, Chunk]:
    """Question id → the section that its answer stands in, where the version holds it."""
    return {each.id: exam.chunks[each.chunk] for each in questions if each.chunk in exam.chunks}
