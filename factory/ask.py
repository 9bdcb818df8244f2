"""``factory ask``: the latest student answers.

flags, questions ─▶ answers, one at a time, so that a conversation can go on while the model stays open

A student that was trained to read gets the best section of its version (BM25) before each question, as in scoring.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from factory.config import resolve
from generators.chunk_records import read_chunks
from generators.errors import UsageError
from generators.teachers import Message
from trainers.baseline import Retriever
from trainers.machine import need_extra
from trainers.sft_data import with_context
from trainers.student import latest_student, open_student
from trainers.student_folder import read_manifest

MAX_TOKENS = 512


def answers(flags: Mapping[str, Any], system: str | None, questions: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Answer questions by the latest student, each by itself, as it was trained.

    Args:
        flags: Of the command line; ``out`` names the workspace.
        system: The system message; ``None`` for the one that the student was trained with.
        questions: Taken one at a time.

    Yields:
        The question, the answer and the student's name.

    Raises:
        UsageError: There is no student, or the question is empty.
    """
    settings = resolve(flags, Path.cwd())
    need_extra()
    out = Path(settings.out).expanduser()
    folder = latest_student(out)
    find = section_finder(out, folder)
    student = open_student(folder)
    told = student.system if system is None else system
    head = (Message("system", told),) if told else ()
    for question in questions:
        if not question.strip():
            raise UsageError('the question is empty: factory ask "How do I rotate a key?"')
        chat = with_context((*head, Message("user", question)), find(question))
        [answer] = student.answer_all([chat], MAX_TOKENS)
        yield question, answer, student.spec


def section_finder(out: Path, student: Path) -> Callable[[str], str]:
    """What a question is answered from: the text of a section for a student that reads, nothing for one that knows.

    Raises:
        UsageError: The sections that the student learned to read are gone.
    """
    manifest = read_manifest(student)
    if manifest["settings"]["context"] == "none":
        return lambda question: ""  # noqa: ARG005 - nothing is looked up
    version = out / "versions" / manifest["dataset"]["version"]
    chunks = read_chunks(version)
    if not chunks:
        raise UsageError(f"{student} answers from the sections of {version}, which are gone: train again")
    retriever = Retriever(chunks)

    def find(question: str) -> str:
        found = retriever.top(question, 1)
        return found[0].text if found else ""

    return find
