"""Find a quote in its source, though a teacher has changed a space, a dash or a word.

find_quote("retries 4  times", "The command retries 4 times.") ─▶ 1.0
"""

import re
import unicodedata
from functools import lru_cache

_SPACE = re.compile(r"\s+")
# Bounded, so that no text takes time that grows with the square of its length.
_MARKUP = re.compile(
    r"""[*_`|#>]+
      | \[(?=[^\[\]]{1,500}\]\()
      | \]\((?:[^()\s]|\([^()\s]{0,100}\)){0,500}(?:\s"[^"]{0,200}")?\)
      | \\(?=[^A-Za-z0-9\s])""",
    re.VERBOSE,
)
_SAME = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u00ad": ""}
)


def find_quote(quote: str, text: str) -> float:
    """How well the quote stands in the text, 0 to 1; 1 is verbatim but for spaces, dashes and Markdown marks."""
    source = _folded_source(text)
    if len(quote) > 4 * len(text) + 100:
        return 0.0
    wanted = _folded(quote)
    if not wanted:
        return 0.0
    if wanted in source:
        return 1.0
    from rapidfuzz.fuzz import partial_ratio

    share = min(1.0, len(source) / len(wanted))
    return min(share, float(partial_ratio(wanted, source)) / 100)


@lru_cache(maxsize=256)
def _folded_source(text: str) -> str:
    """A chunk is looked into many times; quotes come once, and may be of any length."""
    return _folded(text)


def _folded(text: str) -> str:
    """Text without the differences that do not matter to a quote."""
    plain = unicodedata.normalize("NFKC", text.translate(_SAME))
    return _SPACE.sub(" ", _MARKUP.sub(" ", plain)).replace(" .", ".").replace(" ,", ",").strip().lower()
