"""The content words of a text, folded so that inflections meet: what a question and its answer have in common.

content_words("Which errors are retried?") ─▶ {"error", "retri"}
"""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")
# Long words are cut to this many letters: "configure" and "configuration" meet, in any language with suffixes.
_STEM = 5
# Words that questions and answers need and that say nothing of their subject.
_STOP = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "being",
        "between",
        "both",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "done",
        "each",
        "either",
        "for",
        "from",
        "get",
        "give",
        "gives",
        "given",
        "had",
        "has",
        "have",
        "having",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "let",
        "like",
        "made",
        "make",
        "makes",
        "many",
        "may",
        "me",
        "more",
        "most",
        "much",
        "must",
        "my",
        "need",
        "needs",
        "no",
        "not",
        "now",
        "of",
        "on",
        "one",
        "only",
        "or",
        "other",
        "our",
        "out",
        "over",
        "own",
        "please",
        "same",
        "see",
        "shall",
        "should",
        "so",
        "some",
        "such",
        "take",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "to",
        "too",
        "under",
        "until",
        "up",
        "us",
        "use",
        "used",
        "uses",
        "using",
        "very",
        "want",
        "was",
        "way",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "within",
        "without",
        "work",
        "works",
        "would",
        "you",
        "your",
        "happen",
        "happens",
        "mean",
        "means",
        "default",
        "value",
        "called",
        "name",
    ]
)


# Each filter asks for the words of the same few texts; a page's texts share most of their words.
@lru_cache(maxsize=256)
def words(text: str) -> tuple[str, ...]:
    """All words, lower-cased, in order."""
    return tuple(_WORD.findall(text.lower()))


@lru_cache(maxsize=1024)
def content_words(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning; numbers whole."""
    return frozenset(filter(None, map(_content, words(text))))


@lru_cache(maxsize=1 << 14)
def _content(word: str) -> str:
    """The stem of a word, or nothing if it carries no meaning."""
    return "" if word in _STOP else _stem(word)


def _stem(word: str) -> str:
    """A word as its inflections share it: cut short, without an s at its end, with ``i`` for ``y``."""
    if word.isdigit():
        return word
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:-1] + "i" if 3 < len(word) <= _STEM and word.endswith("y") else word[:_STEM]


def overlap(question: str, *sources: str) -> float:
    """Share of the question's content words that stand in the sources, 0 to 1; 1 if it has none."""
    wanted = content_words(question)
    if not wanted:
        return 1.0
    held = set().union(*(content_words(source) for source in sources))
    return len(wanted & held) / len(wanted)
