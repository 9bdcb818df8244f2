r"""Text from outside, made safe to print: a document or a reply may hold terminal escapes and marks that nobody sees.

visible("\x1b[2Jgone", 40) ─▶ "�[2Jgone"
"""

from generators.invisible import UNPRINTABLE


def visible(text: str, width: int = 0) -> str:
    """Text from a document or a reply, safe to print: no terminal escapes or invisible marks; cut to ``width``."""
    clean = UNPRINTABLE.sub("�", text.encode("utf-8", "replace").decode())
    return clean if not width or len(clean) <= width else clean[: width - 1] + "…"
