"""Markdown marks for readers that render: inline code, fences, indentation."""

from collections.abc import Iterable


def code(text: str) -> str:
    """Inline code that survives backticks in the text."""
    if "`" not in text:
        return f"`{text}`"
    return f"`` {text} ``"


def codes(names: Iterable[str]) -> str:
    """Names as inline code, in a row."""
    return ", ".join(code(name) for name in names)


def fence(text: str, language: str) -> str:
    """A fenced code block whose fence is longer than any in the text."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    body = text.rstrip("\n")
    return f"{ticks}{language}\n{body}\n{ticks}"


def indented(text: str, margin: str) -> str:
    """Indent the lines after the first, so that they stay in their list item."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"{margin}{line}" if line.strip() else "" for line in rest)])
