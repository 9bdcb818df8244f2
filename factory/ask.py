"""``factory ask``: the latest student answers.

flags, questions ─▶ answers, one at a time, so that a conversation can go on while the model stays open
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from factory.config import resolve
from generators.errors import UsageError
from generators.teachers import Message
from trainers.machine import need_extra
from trainers.student import latest_student, open_student

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
    student = open_student(latest_student(Path(settings.out).expanduser()))
    told = student.system if system is None else system
    head = (Message("system", told),) if told else ()
    for question in questions:
        if not question.strip():
            raise UsageError('the question is empty: factory ask "How do I rotate a key?"')
        [answer] = student.answer_all([(*head, Message("user", question))], MAX_TOKENS)
        yield question, answer, student.spec
