"""Questions that the documents do not answer, with the answer that says so: they teach the student to say "not there".

    pairs + all chunks ─▶ [Pair(kind="unanswerable")]

Two kinds, without a call: a name that reads like the product's and stands nowhere in it, made of the parts of two that
do (`max_connections`, `default_encoding` ─▶ `max_encoding`), and a question about something else altogether. Which
facts give rise to one, and what it is, follows the hash of their own content: an edit elsewhere changes nothing, but
that a name which the documents have learnt since is asked for no more. Each has two wordings, as other facts have.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from generators.names import names
from generators.records import Chunk, Pair, content_id

KIND = "unanswerable"
RULES = "rule/"  # what the teacher of a pair that no model wrote begins with
TEACHER = f"{RULES}unanswerable"
_OFF_TOPIC_SHARE = 0.2
_MOST_NAMES = 30
_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_KEBAB = re.compile(r"[A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)+")
_WHAT = {"_": "parameter", "-": "header"}
_ASKED = (
    "What does the {what} `{name}`{of_product} do?",
    "What is the default of the {what} `{name}`{of_product}?",
    "How do I set the {what} `{name}`{of_product}?",
    "Which values does the {what} `{name}`{of_product} take?",
)
_ANSWER = "The documentation{of_product} does not mention `{name}`."
_OFF_TOPIC_ANSWER = "That is not in the documentation{of_product}."
OFF_TOPIC = (
    ("What is the capital of Australia?", "Which city is Australia's capital?"),
    ("How long do I boil an egg?", "How many minutes does an egg need to be hard?"),
    ("Who composed The Magic Flute?", "Which composer wrote The Magic Flute?"),
    ("What will the weather be like in Oslo tomorrow?", "Will it rain in Oslo tomorrow?"),
    ("Can you write me a poem about the sea?", "Please write some verses about waves."),
    ("Which team won the last football world cup?", "Who are the football world champions?"),
    ("How do I remove red wine from a carpet?", "There is wine on my carpet, what helps?"),
    ("What is the plot of Hamlet?", "How does the story of Hamlet go?"),
    ("How many moons does Jupiter have?", "What is the number of Jupiter's moons?"),
    ("Which stocks should I buy this year?", "What are good shares to invest in?"),
    ("How do I change the oil of my car?", "My car needs fresh oil, what are the steps?"),
    ("What is a good name for a cat?", "How should I call my kitten?"),
    ("How far is it from Paris to Berlin?", "What distance lies between Berlin and Paris?"),
    ("Translate 'good morning' into Japanese, please.", "What do people in Japan say in the morning?"),
    ("What are the side effects of aspirin?", "Is aspirin bad for the stomach?"),
    ("When did the Titanic sink?", "In which year did the Titanic go down?"),
)


@dataclass(frozen=True, slots=True)
class UnanswerableConfig:
    """How they are put.

    Attributes:
        share: Of the facts that are drawn, 0 to 1.
        product: As questions and answers name it; may be empty.
        seed: Another seed gives others.
    """

    share: float = 0.05
    product: str = ""
    seed: int = 0

    @property
    def of_product(self) -> str:
        """The product as it follows a noun."""
        return f" of {self.product}" if self.product else ""


def unanswerable(
    pairs: Iterable[Pair], chunks: Mapping[str, Chunk], config: UnanswerableConfig
) -> dict[str, list[Pair]]:
    """Make about as many as the share asks for, by drawing facts.

    Args:
        pairs: What was accepted; those of a fact that is drawn give rise to two more, in the same chunk.
        chunks: All chunks of the documents by id.
        config: How many, for what product.

    Returns:
        Fact that was drawn → the pairs that it gave rise to; no question twice.
    """
    if not config.share:
        return {}
    known = "\n".join(f"{' '.join(chunk.heading)}\n{chunk.text}" for chunk in chunks.values()).lower()
    asked = set[str]()
    made: dict[str, list[Pair]] = {}
    for fact, chunk in sorted({(pair.fact, pair.chunk) for pair in pairs if pair.chunk in chunks}):
        if draw("unanswerable", config.seed, fact) < config.share:
            fresh = [pair for pair in _wordings(fact, chunks[chunk], known, config) if pair.question not in asked]
            asked.update(pair.question for pair in fresh)
            made[fact] = fresh
    return made


def _wordings(fact: str, chunk: Chunk, known: str, config: UnanswerableConfig) -> Iterator[Pair]:
    name = _invented(fact, chunk, known, config.seed)
    if name is None or draw("off topic", config.seed, fact) < _OFF_TOPIC_SHARE:
        questions: tuple[str, ...] = OFF_TOPIC[int(draw("topic", config.seed, fact) * len(OFF_TOPIC))]
        answer = _OFF_TOPIC_ANSWER.format(of_product=config.of_product)
    else:
        what = _WHAT["_" if "_" in name else "-"]
        first = int(draw("wording", config.seed, fact) * len(_ASKED))
        asked = (_ASKED[first], _ASKED[(first + 1) % len(_ASKED)])
        questions = tuple(each.format(what=what, name=name, of_product=config.of_product) for each in asked)
        answer = _ANSWER.format(name=name, of_product=config.of_product)
    for question in questions:
        yield _pair(chunk, question, answer)


def _invented(fact: str, chunk: Chunk, known: str, seed: int) -> str | None:
    """A name that nobody uses, made of the parts of two that the chunk does; the first that the draw gives."""
    found: list[str] = []
    for shape, joint in ((_SNAKE, "_"), (_KEBAB, "-")):
        own = [name for name in names(chunk.text) if shape.fullmatch(name)][:_MOST_NAMES]
        made = (
            joint.join((one.split(joint)[0], other.split(joint)[-1])) for one in own for other in own if one != other
        )
        found += [name for name in made if joint in name and name.lower() not in known]
    return min(found, key=lambda name: draw("name", seed, fact, name), default=None)


def _pair(chunk: Chunk, question: str, answer: str) -> Pair:
    return Pair(
        id=content_id("pair", chunk.id, question, answer),
        fact=content_id("fact", chunk.id, answer, ()),
        question=question,
        answer=answer,
        quotes=(),
        kind=KIND,
        chunk=chunk.id,
        teacher=TEACHER,
        template="",
    )


def draw(*what: object) -> float:
    """A number in [0, 1) that depends on content alone."""
    digest = hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
