"""How long a text is in tokens, without a tokeniser's download.

    count_tokens("Pass `timeout=10.0` to httpx.get().") ─▶ 13

Byte-pair vocabularies of today's models cut English technical text at word starts, punctuation and digit groups; this
counts those cuts. ``benchmarks/reading.py`` prints its error against a real tokeniser.
"""

import re

_PIECE = re.compile(r"[A-Za-z]+|\d{1,3}|[^\sA-Za-z\d\x80-\U0010ffff]{1,2}|[\x80-\U0010ffff]|\n+")
# A word of up to this many letters is one token more often than not; longer ones take one more for each further run.
_LETTERS_A_TOKEN = 8


def count_tokens(text: str) -> int:
    """Estimate the number of tokens (within about 15 % for prose and code; other scripts count one a character)."""
    return sum(1 + (len(piece) - 1) // _LETTERS_A_TOKEN for piece in _PIECE.findall(text))
