"""Find a quote in its source, though a teacher has changed a space, a dash or a word.

find_quote("retries 4  times", "The command retries 4 times.") ─▶ 1.0
"""

import re
import unicodedata
from functools import lru_cache

_SPACE = re.compile(r"\s+")
_MARKUP = re.compile(r"[*_`|#>]+|\[(?=[^\]]+\]\()|\]\([^)\s]*\)|\\(?=\W)")
_SAME = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u00ad": ""}
)


def find_quote(quote: str, text: str) -> float:
    """How well the quote stands in the text, 0 to 1; 1 is verbatim but for spaces, dashes and Markdown marks."""
    wanted, source = _folded(quote), _folded(text)
    if not wanted:
        return 0.0
    if wanted in source:
        return 1.0
    from rapidfuzz.fuzz import partial_ratio

    if len(wanted) > len(source):
        return min(float(partial_ratio(wanted, source)) / 100, len(source) / len(wanted))
    return float(partial_ratio(wanted, source)) / 100


@lru_cache(maxsize=512)
def _folded(text: str) -> str:
    """Text without the differences that do not matter to a quote."""
    plain = unicodedata.normalize("NFKC", text.translate(_SAME))
    return _SPACE.sub(" ", _MARKUP.sub(" ", plain)).replace(" .", ".").replace(" ,", ",").strip().lower()
