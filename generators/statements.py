"""Which pieces of a chunk can each carry an answer: its statements, verbatim.

    chunk text ─▶ [Statement("The read timeout is 5 seconds.", "prose"), …]

A sentence, a list item, a table row, a line of code: the smallest span that says something by itself. Small teachers
are bound to these spans by the reply's schema (they cannot misquote what they may only choose); the funnel uses the
same spans to judge quotes.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from generators.foci import foci
from generators.focus import Focus
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
# Bounded, so that a page of stray backticks costs no more than any other.
_CODE_SPAN = re.compile(r"(?<!`)(`{1,4})(?!`).{1,500}?(?<!`)\1(?!`)", re.DOTALL)
# What points outside the statement: it cannot stand as an answer by itself.
_POINTING = re.compile(
    r"^(?:this|these|those|it|its|they|that|here|there|see|for example|e\.g|note that this|in this (?:case|example)|"
    r"the (?:following|above|example|code|output)|as (?:above|before|shown)|such|otherwise|also|but|and|or|however|"
    r"then|again|alternatively|instead|similarly|likewise|both|either|let'?s|now|we|you can also|you may also|"
    r"additionally|on the other hand|description|copyright|if so|if not|when this|to do (?:so|this|that)|"
    r"(?:first|second|third|finally|next|lastly),|the (?:first|second|third|next|last|same|latter|former)|"
    r"some examples?|example of|the other|a recipient|one way|in some cases|first)\b",
    re.IGNORECASE,
)
# It only tells where something else is told.
_ELSEWHERE = re.compile(
    r"\b(?:see|refer to|read more|learn more|more (?:details|information)|for details|described (?:in|here)|"
    r"documented in)\b",
)
# It speaks of something that was named before it.
_UNRESOLVED = re.compile(
    r"\b(?:a|the|each|every) (?:new |other )?ones?\b"
    r"|\b(?:this|these|those|that (?:date|case|time|way|value)|the (?:same|latter|former|\w+th)|such (?:an? )?\w+)\b"
    r"|^(?:later|earlier|after that|before that|quickly|only)\b"
    r"|^\w+ (?:requires?|uses?|needs?|does|sends?|raises?) it\b",
)
_MOST_FOCI = 2
_A_CLAUSE = 5  # words
_LONGEST_ITEM = 350
_LOOSE_END = re.compile(
    r"(?:\b(?:below|above|following|follows|examples?|like this|like so)\b[^.]*[:.]?|:)\s*$", re.IGNORECASE
)
# "To send cookies, use the `cookies` parameter:" says it all before its colon.
_INSTRUCTION = re.compile(r"^(?:to|if|when|for|use|pass|set|call|run|add)\b", re.IGNORECASE)
# What announced an example ends as a sentence does.
_TRAILING = re.compile(r"(?<=[\w`)])\s?(?::|;|\.\.\.|…)$")
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_MARKER_LINE = re.compile(r"^\s*(?:!!!|\?\?\?\+?|:::|>\s*\[!|\.\. \w+::|<!--|\[[^\]]+\]:\s|#{1,6}\s|</?\w+[^>]*>\s*$)")
_NO_STATEMENT = re.compile(r"^(?:[#}\])>\"'<.]|Traceback|File \"|//|/?\*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A span of a chunk that can carry an answer.

    Attributes:
        text: Verbatim, but for line breaks of reflowable prose, which are single spaces.
        answer: The same as an answer would put it: without link targets and marks; a table row with its header.
        weight: Higher for what says more; not above 0 for what cannot stand by itself.
        foci: What it can be asked for, the most telling first.
    """

    text: str
    answer: str
    kind: StatementKind
    weight: float
    foci: tuple[Focus, ...]


def statements(text: str, owner: str = "") -> list[Statement]:
    """Split a chunk's text into its statements, in order; ``owner`` names the API operation or schema they are of."""
    found: dict[str, Statement] = {}
    for span, kind, header in _spans(text.split("\n")):
        clean = span.strip()
        if 12 <= len(clean) <= 600 and clean not in found:
            answer = row_as_text(clean, header) if kind == "row" else plain(clean)
            if not answer:  # an image alone
                continue
            asked = tuple(foci(answer, _MOST_FOCI, owner, row=kind == "row"))
            found[clean] = Statement(
                clean, answer, kind, _weight(answer, kind, asked, loose=bool(_LOOSE_END.search(clean))), asked
            )
    return list(found.values())


@lru_cache(maxsize=1 << 14)
def passages(text: str) -> tuple[str, ...]:
    """All of a chunk's text in the spans that statements are made of, also those that are none; reflowing changes none.

    For comparing two states of a section: what stands in both was not edited.
    """
    found = (" ".join(span.split()) for span, _, _ in _spans(text.split("\n"), every=True))
    return tuple(dict.fromkeys(span for span in found if any(map(str.isalnum, span))))


def salient(
    text: str, count: int, owner: str = "", skip: int = 0, only: Collection[str] | None = None
) -> list[Statement]:
    """Choose the ``count`` statements that say most behind the ``skip`` most telling, in reading order.

    At least one where there is one, whatever it says; what is skipped is wrapped around to when nothing else is left.
    ``only`` names the passages that are to be asked about, if not all.
    """
    every = statements(text, owner)
    if only is not None:
        every = [each for each in every if " ".join(each.text.split()) in only]
    ranked = sorted(range(len(every)), key=lambda i: (-every[i].weight, i))
    telling = [i for i in ranked if every[i].weight > 0] or ranked[:1]
    chosen = telling[skip : skip + count] or telling[:count]
    return [every[i] for i in sorted(chosen)]


# Markup, sample output and log lines that stand in prose.
_NO_PROSE = re.compile(r"</?[a-z][^>`]*>|^:\w+:|^(?:DEBUG|INFO|WARN(?:ING)?|ERROR|TRACE)\b|\b\w+=\S+ \w+=\S+")
# It says that something can be done, not how.
_IDLE = re.compile(
    r"\b(?:you (?:might|may) (?:want|wish|like|need)|(?:can|could|may) (?:also )?do (?:so|that|this)|take a look|"
    r"you'll (?:also )?want|need to do so)\b",
    re.IGNORECASE,
)


def stands_alone(answer: str) -> bool:
    """Whether a statement makes sense without what stands around it: it points nowhere and announces nothing."""
    markup = answer.startswith(":::") or ":docstring:" in answer
    lowered = answer.lower()  # matching whatever the case takes twice as long
    return not (markup or _POINTING.match(answer) or _ELSEWHERE.search(lowered) or _UNRESOLVED.search(lowered))


def whole(text: str) -> Statement:
    """A text without any statement (a heading's few words, a line of markup) as the one that it is, cut to length."""
    clean = text.strip()[:600].strip()
    return Statement(clean, plain(clean), "prose", 0.0, ())


def plain(span: str) -> str:
    """A statement as an answer would put it: links as their text, images and row pipes gone, code spans kept."""
    text = _LINK.sub(lambda link: "" if link[1] else link[2], span)
    return _TRAILING.sub(".", " ".join(text.replace("**", "").split()))


def kind_of(statement: Statement) -> str:
    """What kind of question a statement answers, as far as its words tell."""
    lowered = statement.answer.lower()
    if statement.kind == "code":
        return "code"
    if statement.foci and statement.foci[0].asks.startswith("how to"):
        return "how-to"
    if re.search(r"\b(?:error|exception|raises?d?|fails?|failure|invalid|status [45]\d\d)\b", lowered):
        return "error"
    if re.search(r"\b(?:at most|at least|maximum|minimum|limit|up to|no more than)\b", lowered):
        return "limit"
    if re.search(r"\b(?:parameter|argument|option|flag|field|property|header|query|required|optional)\b", lowered):
        return "parameter"
    return "value" if re.search(r"\d", lowered) else "definition"


def row_as_text(row: str, header: Sequence[str]) -> str:
    """A table row as a sentence: each cell behind its column's title."""
    cells = _cells(row)
    titles = [*header, *[""] * len(cells)]
    return "; ".join(f"{title}: {cell}" if title else cell for title, cell in zip(titles, cells, strict=False) if cell)


def _cells(row: str) -> list[str]:
    return [plain(cell.replace("\x00", "|")) for cell in row.replace("\\|", "\x00").strip().strip("|").split("|")]


def _weight(span: str, kind: StatementKind, asked: Sequence[Focus], *, loose: bool) -> float:
    """What can be asked for makes good questions; pointing words and loose ends (``loose``) make bad ones."""
    facts = min(len(names(span)), 4)
    words = len(span.split())
    prose_words = len(re.findall(r"(?<![\w`.(])[a-z]{2,}(?![\w`(])", re.sub(r"`[^`]*`", "", span)))
    if len(span) < 20 or (facts == 0 and words < 6) or (kind != "code" and prose_words < 3):
        return 0.0
    loose = loose and not (facts and _INSTRUCTION.match(span))
    weight = 0.5 + 0.5 * facts + 1.5 * len(asked) - 4.0 * bool(_POINTING.match(span)) - 2.5 * loose
    lowered = span.lower()
    weight -= 4.0 * bool(_ELSEWHERE.search(lowered)) + 3.0 * bool(_UNRESOLVED.search(lowered))
    if span.endswith("?"):
        weight -= 3.0
    if kind != "code" and _NO_PROSE.search(re.sub(r"`[^`]*`", "``", span)):
        weight -= 5.0
    if _IDLE.search(span):
        weight -= 3.0
    if kind == "code" or re.match(r"[A-Za-z]+ing\b", span):
        weight -= 5.0
    if words > 45 or len(span) > 320:
        weight -= 1.5
    return weight


def _spans(lines: Sequence[str], *, every: bool = False) -> Iterator[tuple[str, StatementKind, Sequence[str]]]:
    """Walk the lines once: fenced code by line, rows with their header, items whole, prose by sentence.

    ``every`` yields also what is no statement by its looks.
    """
    prose: list[str] = []
    fence = ""
    header: list[str] = []
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence or mark:
            yield from _flush(prose)
            if mark and (not fence or mark[1].startswith(fence)):
                fence = "" if fence else mark[1]
            else:
                yield from _code(line, every=every)
        elif line.lstrip().startswith("|"):
            yield from _flush(prose)
            heads = number + 1 < len(lines) and _RULE_ROW.match(lines[number + 1])
            header = _cells(line) if heads else header
            if (every or not heads) and not _RULE_ROW.match(line):
                yield line.strip(), "row", header
        else:
            yield from _text_line(line, prose, every=every)
    yield from _flush(prose)


def _code(line: str, *, every: bool) -> Iterator[tuple[str, StatementKind, Sequence[str]]]:
    code = _PROMPT.sub("", line.strip())
    if every or not _NO_STATEMENT.match(code):
        yield code, "code", ()


def _text_line(line: str, prose: list[str], *, every: bool) -> Iterator[tuple[str, StatementKind, Sequence[str]]]:
    """Add a line to the prose, after flushing what it does not belong to."""
    marker = bool(_MARKER_LINE.match(line))
    line = line.lstrip("> \t").rstrip()
    if not line or marker or _ITEM.match(line):
        yield from _flush(prose)
    if line and not marker:
        prose.append(line)
    elif line and every:
        yield line, "prose", ()


def _flush(prose: list[str]) -> Iterator[tuple[str, StatementKind, Sequence[str]]]:
    if not prose:
        return
    joined = " ".join(prose)
    prose.clear()
    marker = _ITEM.match(joined)
    body = joined[marker.end() :] if marker else joined
    # An item says one thing, often in the manner of a dictionary: what, then more about it.
    whole = marker and len(body) <= _LONGEST_ITEM
    for sentence in [body] if whole else sentences(body):
        for clause in [sentence] if marker else _clauses(sentence):
            yield clause, "item" if marker else "prose", ()


def _clauses(sentence: str) -> list[str]:
    """What a semicolon divides, where each part is long enough to be a sentence of its own."""
    masked = _CODE_SPAN.sub(lambda m: "\x00" * len(m[0]), sentence)
    cuts = [found.end() for found in re.finditer(r"; ", masked)]
    parts = [sentence[start:end].strip() for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
    return parts if all(len(part.split()) >= _A_CLAUSE for part in parts) else [sentence]


def sentences(paragraph: str) -> list[str]:
    """Split one paragraph into sentences; code spans are never cut."""
    found = (paragraph[start:end].strip() for start, end in sentence_spans(paragraph))
    return [sentence for sentence in found if sentence]


def sentence_spans(paragraph: str) -> Iterator[tuple[int, int]]:
    """Where the sentences of a paragraph start and end, the space behind them included; together they are all of it."""
    masked = _CODE_SPAN.sub(lambda m: "\x00" * len(m[0]), paragraph)
    start = 0
    for end in _SENTENCE_END.finditer(masked):
        # An abbreviation is looked for in the last few letters only: time must not grow with the square of the text.
        if not _ABBREVIATION.search(masked, max(start, end.start() - 12), end.start()):
            yield start, end.end()
            start = end.end()
    if start < len(paragraph):
        yield start, len(paragraph)
