"""From a chat row to what the student reads and which of its tokens are trained.

Example (messages, section) + the student's own chat template ─▶ Encoded (token ids, trained or not)

``encode`` is the one place that decides what is trained on: the assistant's turns and the token that ends them. A
prompt is turned into tokens by itself, exactly as it will be when the student is asked, so that no token spans the
border between question and answer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from generators.errors import UsageError
from generators.teachers import Message

# A ``transformers`` tokenizer; its package is not there in every installation.
Tokenizer: TypeAlias = Any
IGNORED = -100
# In front of a template: its own ``strftime_now``, which hides the one that tells the time.
_DAY = {"%d": "26", "%-d": "26", "%b": "Jul", "%B": "July", "%m": "07", "%Y": "2024", "%y": "24", "%A": "Friday"}
_REPLACED = "".join(f" | replace('{code}', '{value}')" for code, value in _DAY.items())
_ONE_DAY = f"{{%- macro strftime_now(form) -%}}{{{{ form{_REPLACED} }}}}{{%- endmacro %}}{{{{ '' }}}}"
_GREEN, _DIM, _PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Example:
    """A row of a dataset.

    Attributes:
        messages: The chat; its last turn is the assistant's.
        context: Verbatim text of the section that the row is about; empty for closed-book training.
        chunk: Id of that section, for methods that learn from it.
        rehearsed: The base's own answer, of which its whole distribution is to be kept, not the words alone.
    """

    messages: tuple[Message, ...]
    context: str = ""
    chunk: str = ""
    rehearsed: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row in tokens: ``ids`` and, for each of them, whether it is trained; both of one length.

    ``rehearsed``: its trained tokens are to stay as likely as the base has them.
    """

    ids: tuple[int, ...]
    trained: tuple[bool, ...]
    rehearsed: bool = False

    @property
    def labels(self) -> list[int]:
        """The ids where they are trained, else ``IGNORED``."""
        return [token if trained else IGNORED for token, trained in zip(self.ids, self.trained, strict=True)]


def read_examples(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    """Read rows of the form ``{"messages": [{"role", "content"}, …]}``.

    Raises:
        UsageError: A row has another form.
    """
    try:
        return [Example(tuple(Message(turn["role"], turn["content"]) for turn in row["messages"])) for row in rows]
    except (LookupError, TypeError) as error:
        raise UsageError(f"a row is not of the form {{'messages': [{{'role', 'content'}}, …]}} ({error!r})") from error


def with_context(messages: Sequence[Message], context: str) -> tuple[Message, ...]:
    """Put the section before the last question, as a RAG reader gets it; without a section nothing changes."""
    if not context:
        return tuple(messages)
    place = max(number for number, turn in enumerate(messages) if turn.role == "user")
    asked = replace(messages[place], content=f"{context}\n\n{messages[place].content}")
    return (*messages[:place], asked, *messages[place + 1 :])


def encode_all(
    examples: Iterable[Example], tokenizer: Tokenizer, stops: frozenset[int], max_tokens: int
) -> tuple[list[Encoded], Counter[str]]:
    """Encode rows.

    Left out are rows that hold the text of a special token, which would end a turn in its middle, and rows longer
    than ``max_tokens``: cut answers teach to stop halfway.

    Returns:
        The rows that fit, in order, and how many did not, by reason.

    Raises:
        UsageError: Nothing would be trained, or as of ``encode``.
    """
    kept: list[Encoded] = []
    left_out: Counter[str] = Counter()
    for example in examples:
        if _holds_special(example, tokenizer):
            left_out["special_token"] += 1
            continue
        row = encode(example, tokenizer, stops)
        if len(row.ids) > max_tokens:
            left_out["too_long"] += 1
            continue
        kept.append(row)
    if left_out and not kept:
        raise UsageError(f"no row can be trained on: {describe(left_out)}; see max_tokens under [train]")
    if not any(any(row.trained) for row in kept):
        raise UsageError("no token of any row would be trained: the rows have no assistant's turn")
    return kept, left_out


def describe(left_out: Mapping[str, int]) -> str:
    """What was left out, in words."""
    words = {"special_token": "hold the text of a special token", "too_long": "are too long"}
    return ", ".join(f"{count} {words[reason]}" for reason, count in sorted(left_out.items()))


def encode(example: Example, tokenizer: Tokenizer, stops: frozenset[int]) -> Encoded:
    """Turn a row into tokens by the student's own template, and decide which are trained.

    Args:
        example: The row.
        tokenizer: The student's.
        stops: Ids of the tokens that end a turn.

    Raises:
        UsageError: The student has no chat template, or its template drops the system message or changes earlier
            turns.
    """
    chat = with_context(example.messages, example.context)
    whole = render(chat, tokenizer)
    _check(chat, whole)
    ids: list[int] = []
    trained: list[bool] = []
    done = ""
    for number, turn in enumerate(chat):
        if turn.role != "assistant":
            continue
        prompt, answered = render(chat[:number], tokenizer, ask=True), render(chat[: number + 1], tokenizer)
        if not (prompt.startswith(done) and answered.startswith(prompt) and whole.startswith(answered)):
            raise UsageError("the student's chat template changes earlier turns: it cannot be trained on these rows")
        asked, answer = _tokens(prompt[len(done) :], tokenizer), _tokens(answered[len(prompt) :], tokenizer)
        answer, rest = _ended(answer, stops, tokenizer)
        last = number == len(chat) - 1
        parts = ((asked, False), (answer, True), ([] if last else rest, False))
        ids += [token for tokens, _ in parts for token in tokens]
        trained += [mark for tokens, mark in parts for _ in tokens]
        done = answered
    return Encoded(tuple(ids), tuple(trained), example.rehearsed)


def render(chat: Sequence[Message], tokenizer: Tokenizer, *, ask: bool = False) -> str:
    """A chat as text by the student's own template; ``ask`` adds what stands before the assistant's answer.

    Raises:
        UsageError: There is no template, or it refuses the chat.
    """
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise UsageError("the student has no chat template: choose an instruct model")
    turns = [{"role": turn.role, "content": turn.content} for turn in chat]
    try:
        text = tokenizer.apply_chat_template(
            turns, chat_template=_dateless(tokenizer), tokenize=False, add_generation_prompt=ask
        )
    except TemplateError as error:
        raise UsageError(f"the student's chat template refuses a row ({error}): choose another student") from error
    return str(text)


def prompt_tokens(chat: Sequence[Message], tokenizer: Tokenizer) -> list[int]:
    """The tokens that a student is given when it is asked: those before the first trained one."""
    return _tokens(render(chat, tokenizer, ask=True), tokenizer)


def stop_tokens(tokenizer: Tokenizer, model_stops: object) -> frozenset[int]:
    """Ids that end a turn: the tokenizer's and those of the model's generation config (a number, a list or None)."""
    listed = model_stops if isinstance(model_stops, list | tuple) else [model_stops]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if isinstance(token, int))


def coloured(
    row: Encoded, tokenizer: Tokenizer, *, colour: bool, clean: Callable[[str], str] = lambda text: text
) -> str:
    """A row as text: what is trained in green, or between ⟦ ⟧ where there is no colour; ``clean`` mends its text."""
    shown = []
    for trained, tokens in groupby(zip(row.ids, row.trained, strict=True), key=lambda entry: entry[1]):
        text = clean(tokenizer.decode([token for token, _ in tokens]))
        before, after = ((_GREEN if trained else _DIM), _PLAIN) if colour else ("⟦", "⟧") if trained else ("", "")
        shown.append(f"{before}{text}{after}")
    return "".join(shown)


def _ended(answer: list[int], stops: frozenset[int], tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The answer up to the token that ends the turn, which is added if the template has none; and what follows."""
    for place, token in enumerate(answer):
        if token in stops:
            return answer[: place + 1], answer[place + 1 :]
    return [*answer, tokenizer.eos_token_id], []


def _check(chat: Sequence[Message], whole: str) -> None:
    for turn in chat:
        if turn.content.strip() not in whole:
            raise UsageError(
                f"the student's chat template drops the {turn.role} message: choose another student"
                + (', or set system_prompt = "" and generate again' if turn.role == "system" else "")
            )


def _holds_special(example: Example, tokenizer: Tokenizer) -> bool:
    texts = (*(turn.content for turn in example.messages), example.context)
    return any(token and token in text for text in texts for token in tokenizer.all_special_tokens)


def _dateless(tokenizer: Tokenizer) -> str:
    """The student's template; where it states today's date, with one fixed day in its stead.

    A run that goes on tomorrow must read the same rows, and so must the student when it is asked.
    """
    template = str(tokenizer.get_chat_template())
    return _ONE_DAY + template if "strftime_now" in template else template


def _tokens(text: str, tokenizer: Tokenizer) -> list[int]:
    # The template writes the special tokens itself.
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
