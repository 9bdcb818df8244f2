"""Questions that the documents do not answer, with the answer that says so: they teach the student to say "not there".

    pairs + all chunks ─▶ [Pair(kind="unanswerable")]

Two kinds, without a call: a name that reads like the product's and stands nowhere in it, made of the parts of two that
do (`max_connections`, `default_encoding` ─▶ `max_encoding`), and a question about something else altogether. Which
pairs give rise to one follows the hash of their content, so a refresh gives the same, and a name that the documents
have learnt since gives none.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from generators.names import names
from generators.records import Chunk, Pair, content_id

KIND = "unanswerable"
TEACHER = "rule/unanswerable"
_OFF_TOPIC_SHARE = 0.2
_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_KEBAB = re.compile(r"[A-Z][A-Za-z0-9]*(?:-[A-Z][A-Za-z0-9]*)+")
_QUOTED = re.compile(r"`([^`]+)`")
_WHAT = {"_": "parameter", "-": "header"}
_ASKED = (
    "What does the {what} `{name}` of {product} do?",
    "What is the default of the {what} `{name}` in {product}?",
    "How do I set the {what} `{name}` of {product}?",
    "Which values does the {what} `{name}` of {product} take?",
)
_ANSWER = "The documentation of {product} does not mention `{name}`."
_OFF_TOPIC_ANSWER = "That is not in the documentation of {product}."
OFF_TOPIC = (
    "What is the capital of Australia?",
    "How long do I boil an egg?",
    "Who painted the Mona Lisa?",
    "What will the weather be like in Oslo tomorrow?",
    "Can you write me a poem about the sea?",
    "Which team won the last football world cup?",
    "How do I remove red wine from a carpet?",
    "What is the plot of Hamlet?",
    "How many moons does Jupiter have?",
    "Which stocks should I buy this year?",
    "How do I change the oil of my car?",
    "What is a good name for a cat?",
    "How far is it from Paris to Berlin?",
    "Translate 'good morning' into Japanese, please.",
    "What are the side effects of aspirin?",
    "When did the Second World War end?",
)


@dataclass(frozen=True, slots=True)
class UnanswerableConfig:
    """How many there are.

    Attributes:
        share: Of all pairs, 0 to 1.
        product: As questions and answers name it.
        seed: Another seed gives others.
    """

    share: float = 0.05
    product: str = "this product"
    seed: int = 0


def unanswerable(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], config: UnanswerableConfig) -> list[Pair]:
    """Make as many as the share asks for: ``share`` of the whole, these included; none where that is less than one.

    Args:
        pairs: What was accepted; each new pair stands beside one of them, in its chunk.
        chunks: All chunks of the documents by id.
        config: How many, for what.
    """
    wanted = int(len(pairs) * config.share / (1 - config.share)) if config.share < 1 else 0
    if not wanted:
        return []
    known = "\n".join(f"{' '.join(chunk.heading)}\n{chunk.text}" for chunk in chunks.values()).lower()
    ordered = sorted({pair.chunk for pair in pairs}, key=lambda chunk: _draw(config.seed, chunk))
    return list(islice(_made([chunks[chunk] for chunk in ordered if chunk in chunks], known, config), wanted))


def _made(chunks: Sequence[Chunk], known: str, config: UnanswerableConfig) -> Iterator[Pair]:
    """One a chunk, in rounds, until there is nothing more to ask; no question twice."""
    asked = set[str]()
    off_topic = iter(sorted(OFF_TOPIC, key=lambda question: _draw(config.seed, question)))
    invented = [_invented(chunk, known, config.seed) for chunk in chunks]
    waiting = list(zip(chunks, invented, strict=True))
    while waiting:
        ahead = []
        for chunk, fresh in waiting:
            about_else = _draw(config.seed, chunk.id, len(asked)) < _OFF_TOPIC_SHARE
            question, answer = ("", "")
            if about_else and (question := next(off_topic, "")):
                answer = _OFF_TOPIC_ANSWER.format(product=config.product)
            elif name := next(fresh, ""):
                question, answer = _about(name, config)
            if question:
                ahead.append((chunk, fresh))
            if question and question not in asked:
                asked.add(question)
                yield _pair(chunk, question, answer)
        waiting = ahead


def _about(name: str, config: UnanswerableConfig) -> tuple[str, str]:
    what = _WHAT["_" if "_" in name else "-"]
    asked = _ASKED[int(_draw(config.seed, name) * len(_ASKED))]
    return (
        asked.format(what=what, name=name, product=config.product),
        _ANSWER.format(name=name, product=config.product),
    )


def _invented(chunk: Chunk, known: str, seed: int) -> Iterator[str]:
    """Names that nobody uses, made of the parts of two that the chunk does."""
    for shape, joint in ((_SNAKE, "_"), (_KEBAB, "-")):
        own = [name for name in names(chunk.text) if shape.fullmatch(name)]
        pairs = [(one, other) for one in own for other in own if one != other]
        for one, other in sorted(pairs, key=lambda both: _draw(seed, *both)):
            made = joint.join((one.split(joint)[0], other.split(joint)[-1]))
            if joint in made and made.lower() not in known:
                yield made


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


def still_unanswerable(pairs: Iterable[Pair], chunks: Mapping[str, Chunk]) -> list[Pair]:
    """Those of the pairs whose name the documents still do not know."""
    known = "\n".join(chunk.text for chunk in chunks.values()).lower()
    return [
        pair for pair in pairs if not any(name.lower() in known for name in re.findall(r"`([^`]+)`", pair.question))
    ]


def _draw(*what: object) -> float:
    digest = hashlib.sha256(repr(what).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
