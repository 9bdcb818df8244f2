"""Which pieces of a chunk can each carry an answer: its statements, verbatim.

    chunk text ─▶ [Statement("The read timeout is 5 seconds.", "prose"), …]

A sentence, a list item, a table row, a line of code: the smallest span that says something by itself. Small teachers
are bound to these spans by the reply's schema (they cannot misquote what they may only choose); the funnel uses the
same spans to judge quotes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from generators.names import names

StatementKind = Literal["prose", "item", "row", "code"]

_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")
_PROMPT = re.compile(r"^(?:>>>|\$|In \[\d+\]:)\s+")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_RULE_ROW = re.compile(r"^\s*\|?[\s:|+=-]+\|?\s*$")
# A sentence ends at . ! ? or : before a capital, a backtick, a bracket or the end; never inside `code` (masked before),
# and not after the abbreviations below.
_SENTENCE_END = re.compile(r"(?<=[.!?:])[\"')\]*_]*\s+(?=[\"'(\[*_`]*[A-Z0-9`\x00])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|no|fig|sec|ca|incl|resp)|\b[A-Z])\.$", re.IGNORECASE)
_CODE_SPAN = re.compile(r"(`+)(?:(?!\1).)+\1", re.DOTALL)
# What points outside the statement: it cannot stand as an answer by itself.
_POINTING = re.compile(
    r"^(?:this|these|those|it|its|they|that|here|there|see|for example|e\.g|note that this|in this (?:case|example)|"
    r"the (?:following|above|example|code|output)|as (?:above|before|shown)|such|otherwise|also|but|and|or|however|"
    r"then|again|alternatively|instead|similarly|likewise|both|either|let'?s|now|we|you can also|you may also)\b",
    re.IGNORECASE,
)
_LOOSE_END = re.compile(
    r"(?:\b(?:below|above|following|follows|examples?|like this|like so)\b[^.]*[:.]?|:)\s*$", re.IGNORECASE
)
# "To send cookies, use the `cookies` parameter:" says it all before its colon.
_INSTRUCTION = re.compile(r"^(?:to|if|when|for|use|pass|set|call|run|add)\b", re.IGNORECASE)
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_MARKER_LINE = re.compile(r"^\s*(?:!!!|\?\?\?\+?|:::|>\s*\[!|\.\. \w+::|<!--|\[[^\]]+\]:\s|#{1,6}\s|</?\w+[^>]*>\s*$)")
_NO_STATEMENT = re.compile(r"^(?:[#}\])>\"'<.]|Traceback|File \"|//|/?\*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A verbatim span of a chunk (line breaks of reflowable prose as single spaces) that can carry an answer."""

    text: str
    kind: StatementKind
    weight: float


def statements(text: str) -> list[Statement]:
    """Split a chunk's text into its statements, in order, each with its weight as an answer (higher is better)."""
    found: dict[str, Statement] = {}
    for span, kind in _spans(text.split("\n")):
        clean = span.strip()
        if 12 <= len(clean) <= 600 and clean not in found:
            found[clean] = Statement(clean, kind, _weight(clean, kind))
    return list(found.values())


def salient(text: str, count: int) -> list[Statement]:
    """Choose the ``count`` statements that say most, in reading order; at least one where there is one."""
    every = statements(text)
    ranked = sorted(range(len(every)), key=lambda i: (-every[i].weight, i))
    chosen = [i for i in ranked if every[i].weight > 0][:count] or ranked[:1]
    return [every[i] for i in sorted(chosen)]


def plain(span: str) -> str:
    """A statement as an answer would put it: links as their text, images and row pipes gone, code spans kept."""
    text = _LINK.sub(lambda link: "" if link[1] else link[2], span)
    return " ".join(text.replace("**", "").split())


def _weight(span: str, kind: StatementKind) -> float:
    """Names and numbers make good questions; pointing words and loose ends make bad ones."""
    span = plain(span)
    facts = min(len(names(span)), 4)
    words = len(span.split())
    if len(span) < 20 or (facts == 0 and words < 6):
        return 0.0
    loose = bool(_LOOSE_END.search(span)) and not (facts and _INSTRUCTION.match(span))
    weight = 1.0 + facts - 2.5 * bool(_POINTING.match(span)) - 2.0 * loose
    if span.endswith("?"):
        weight -= 3.0
    if kind == "code":
        weight -= 2.0
    if words > 45 or len(span) > 320:
        weight -= 1.5
    return weight


def _spans(lines: Sequence[str]) -> Iterator[tuple[str, StatementKind]]:
    """Walk the lines once: fenced code by line, table rows and list items whole, prose by sentence."""
    prose: list[str] = []
    fence = ""
    header_follows = False
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence or mark:
            yield from _flush(prose)
            if not fence and mark:
                fence = mark[1]
            elif mark and mark[1].startswith(fence):
                fence = ""
            elif not _NO_STATEMENT.match(code := _PROMPT.sub("", line.strip())):
                yield code, "code"
        elif line.lstrip().startswith("|"):
            yield from _flush(prose)
            header_follows = number + 1 < len(lines) and bool(_RULE_ROW.match(lines[number + 1]))
            if not header_follows and not _RULE_ROW.match(line):
                yield line.strip(), "row"
        else:
            marker = bool(_MARKER_LINE.match(line))
            line = line.lstrip("> \t").rstrip()
            if not line or marker or _ITEM.match(line):
                yield from _flush(prose)
            if line and not marker:
                prose.append(line)
    yield from _flush(prose)


def _flush(prose: list[str]) -> Iterator[tuple[str, StatementKind]]:
    if not prose:
        return
    joined = " ".join(prose)
    prose.clear()
    marker = _ITEM.match(joined)
    body = joined[marker.end() :] if marker else joined
    for sentence in sentences(body):
        yield sentence, "item" if marker else "prose"


def sentences(paragraph: str) -> list[str]:
    """Split one paragraph into sentences; code spans are never cut."""
    masked = _CODE_SPAN.sub(lambda m: "\x00" * len(m[0]), paragraph)
    cuts = [0]
    for end in _SENTENCE_END.finditer(masked):
        if not _ABBREVIATION.search(masked[cuts[-1] : end.start()]):
            cuts.append(end.end())
    return [
        paragraph[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(paragraph)], strict=True) if paragraph[a:b].strip()
    ]
