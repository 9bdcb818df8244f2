"""Find a quote in its source, though a teacher has changed a space, a dash or a word.

find_quote("retries 4  times", "The command retries 4 times.") ─▶ 1.0
"""

import re
import unicodedata
from functools import lru_cache
from textwrap import wrap

_STRETCH = 150
_SPACE = re.compile(r"\s+")
# Bounded, so that no text takes time that grows with the square of its length.
MARKUP = re.compile(
    r"""[*_`|#>]+
      | \[(?=[^\[\]]{1,500}\]\()
      | \]\((?:[^()\s]|\([^()\s]{0,100}\)){0,500}(?:\s"[^"]{0,200}")?\)
      | \\(?=[^A-Za-z0-9\s])""",
    re.VERBOSE,
)
SAME = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u00ad": ""}
)


def find_quote(quote: str, text: str) -> float:
    """How well the quote stands in the text, 0 to 1; 1 is verbatim but for spaces, dashes and Markdown marks.

    A long quote is looked for stretch by stretch, since comparing it whole takes seconds.
    """
    source, wanted = folded(text), folded(quote)
    if not wanted or len(wanted) > 2 * len(source):
        return 0.0
    if wanted in source:
        return 1.0
    parts = stretches(wanted)
    found = sum(_similarity(part, source) * len(part) for part in parts) / sum(map(len, parts))
    return min(found, len(source) / len(wanted))


def stretches(quote: str) -> list[str]:
    """A folded quote in parts short enough to be compared, cut at spaces."""
    return [quote] if len(quote) <= 2 * _STRETCH else wrap(quote, _STRETCH)


def is_verbatim(quote: str, text: str) -> bool:
    """Whether ``find_quote`` would give 1; quick."""
    wanted = folded(quote)
    return bool(wanted) and wanted in folded(text)


def support(quote: str, text: str) -> tuple[str, ...]:
    """The passages of a text that carry a quote, as the text has them (folded); none if it carries it badly.

    ``stands`` tells whether another state of the text still has them.
    """
    source, wanted = folded(text), folded(quote)
    if not wanted or wanted in source:
        return (wanted,) if wanted else ()
    from rapidfuzz.fuzz import partial_ratio_alignment

    found = [partial_ratio_alignment(stretch, source) for stretch in stretches(wanted)]
    return tuple(_whole_words(source, each.dest_start, each.dest_end) for each in found if each is not None)


def stands(passage: str, text: str) -> bool:
    """Whether a folded passage stands in a text, whole: ``takes 10`` does not stand in ``takes 100``."""
    source, start = folded(text), -1
    while passage and (start := source.find(passage, start + 1)) >= 0:
        before, behind = source[max(0, start - 2) : start], source[start + len(passage) :][:2]
        if not (_goes_on(before[::-1], passage[0]) or _goes_on(behind, passage[-1])):
            return True
    return False


def _goes_on(beside: str, edge: str) -> bool:
    """Whether the word or number at the edge of a passage goes on beside it."""
    if not beside or not edge.isalnum():
        return False
    joint, further = beside[0], beside[1:]
    if joint.isalnum() or (joint in "-/" and (further.isalnum() or further == "{")):
        return True
    return edge.isdigit() and joint in ".," and further.isdigit()


def _whole_words(source: str, start: int, end: int) -> str:
    while start > 0 and not source[start - 1].isspace():
        start -= 1
    while end < len(source) and not source[end].isspace():
        end += 1
    return source[start:end].strip()


def _similarity(stretch: str, source: str) -> float:
    if stretch in source:
        return 1.0
    from rapidfuzz.fuzz import partial_ratio

    return float(partial_ratio(stretch, source)) / 100


# A chunk is looked into many times, and the wordings of a fact share their quotes.
@lru_cache(maxsize=256)
def folded(text: str) -> str:
    """A text without the differences that do not matter to a quote: marks, runs of spaces, case, kinds of dashes."""
    plain = unicodedata.normalize("NFKC", text.translate(SAME))
    return _SPACE.sub(" ", MARKUP.sub(" ", plain)).replace(" .", ".").replace(" ,", ",").strip().lower()
