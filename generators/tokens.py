"""How long a text is in tokens, without a tokeniser's download.

    count_tokens("Pass `timeout=10.0` to httpx.get().") ─▶ 14        (o200k: 13)

Byte-pair vocabularies of today's models cut technical text where letters, digits and marks meet, and cut long runs of
each once more. This counts those cuts. Against o200k, cl100k and Qwen 2.5 it is within 11 % on English prose, code,
tables, YAML and JSON. Other scripts count a token for four bytes: between the vocabularies, which there differ by a
factor of two.
"""

import string

_MARKS = string.punctuation + "\n"


def _table(characters: str) -> bytes:
    """A translation of bytes that shows the runs of some characters as x, all else as spaces."""
    return bytes(ord("x" if chr(code) in characters else " ") for code in range(256))


# What makes a run, and the length from which on a run is one more token.
_RUNS = (
    (_table(string.ascii_letters), b"x" * 12),
    (_table(string.digits), b"x" * 4),
    (_table(_MARKS), b"x" * 3),
)
_ASCII = bytes(range(128))
_BYTES_A_TOKEN = 4  # of what is not ASCII


def count_tokens(text: str) -> int:
    """Estimate the number of tokens.

    A joined text never counts more than its parts, if all but the first count with the line break before them.
    """
    data = b" " + text.encode("utf-8", "surrogatepass")
    total = data.count(b"\n  ")  # an indent
    for table, longest in _RUNS:
        shown = data.translate(table)
        total += shown.count(b" x") + shown.count(longest)
    if not text.isascii():
        total -= -len(data.translate(None, _ASCII)) // _BYTES_A_TOKEN
    return total
