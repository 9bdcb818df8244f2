"""Where in a section a quote was taken from: the section's own words in its place, and what they say otherwise.

    aligned('retries "4"  times', heading, "The client retries **4** times.") ─▶ Aligned(("retries **4** times",), 1.0)

Teachers change spaces, quotation marks and case, leave out the middle, and now and then a number. What is published as
a quote, and what an answer is judged by, are the section's words, never the teacher's.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from generators.differing import difference
from generators.quotes import MARKUP, SAME, stretches
from generators.records import Chunk, Pair

# Less alike, and the likest place is a chance.
_LEAST_ALIKE = 0.6
# A piece of an elided quote that is shorter stands anywhere.
_SHORTEST_PIECE = 8
# Between two stretches of one quote: so much may have been left out, or be the edge of a changed word.
_WIDEST_GAP = 40
_ELISION = re.compile(r"\s*(?:\[\s*(?:…|\.{3,})\s*\]|\(\s*(?:…|\.{3,})\s*\)|…|\.{3,})\s*")
_NOT_BEFORE = re.compile(r"(?:\b(?:not|never|cannot|without)|n['’]t)(?:[ \t*_`\"']|\n(?!\s*\n))*$", re.IGNORECASE)
_LINK_TARGET = re.compile(r"\]\([^()\s]{0,500}\)")
_EDGE = " \t\n.,;:!?\"'()"
# Scripts from here on are written without spaces between words.
_UNSPACED = "\u0e00"
_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Where a quote stands.

    Attributes:
        passages: Verbatim text of the section, in order; several if the quote leaves something out; none if it stands
            nowhere.
        similarity: How well the quote matches, 0 to 1; 1 but for spaces, case and marks.
        difference: What the quote has against what the passages have, where that matters (``generators.differing``).
    """

    passages: tuple[str, ...] = ()
    similarity: float = 0.0
    difference: str = ""


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text without the differences that do not matter, and where each of its letters comes from."""

    letters: str
    starts: list[int] = field(repr=False)
    ends: list[int] = field(repr=False)

    def span(self, start: int, end: int) -> _Span:
        """The place in the text itself."""
        return self.starts[start], self.ends[end - 1]


# The wordings of a fact share its quotes, and several filters ask.
@lru_cache(maxsize=2048)
def aligned(quote: str, heading: tuple[str, ...], text: str) -> Aligned:
    """Find a quote in a section's text and titles."""
    source, head = _source(heading, text)
    span = _literal(quote, source, head)
    spans, similarity = ([span], 1.0) if span else _found(quote, source, head)
    if not spans or similarity < _LEAST_ALIKE:
        return Aligned((), similarity)
    passages = tuple(dict.fromkeys(each for span in spans for each in _by_line(span, source, head)))
    differing = "" if passages == (quote,) else difference(quote, "\n".join(passages))
    return Aligned(passages, similarity, differing)


def with_passages(pair: Pair, chunk: Chunk) -> Pair:
    """The pair with the section's own words as its quotes; as it is, if one stands nowhere or says something else."""
    found = [aligned(quote, chunk.heading, chunk.text) for quote in pair.quotes]
    if not all(each.passages and not each.difference for each in found):
        return pair
    quotes = tuple(dict.fromkeys(passage for each in found for passage in each.passages))
    return pair if quotes == pair.quotes else replace(pair, quotes=quotes)


def _source(heading: tuple[str, ...], text: str) -> tuple[str, int]:
    """Titles and text, a line each, and where the text begins."""
    head = "".join(f"{title}\n" for title in heading)
    return head + text, len(head)


def _literal(quote: str, source: str, head: int) -> _Span | None:
    """Where the quote stands letter by letter, grown to whole words; in the text rather than in a title."""
    return _best(((at, at + len(quote)) for at in _places(quote, source, head)), source)


def _places(wanted: str, source: str, head: int) -> Iterator[int]:
    for first, last in ((head, len(source)), (0, head)):
        at = source.find(wanted, first, last)
        while wanted and at >= 0:
            yield at
            at = source.find(wanted, at + 1, last)


def _best(spans: Iterable[_Span], source: str) -> _Span | None:
    """The first span that cuts no word or number and follows no "not"; else the first, grown until it is so."""
    first = None
    for span in spans:
        grown = _grown(span, source)
        if grown == span:
            return span
        first = first or grown
    return first


def _found(quote: str, source: str, head: int) -> tuple[list[_Span], float]:
    """Where a quote stands that was changed, and how well."""
    for wanted in dict.fromkeys((quote, quote.strip(_EDGE + "“”‘’«»"))):
        span = _squashed(wanted, source, head)
        if span:
            return [span], 1.0
    pieces = [each for each in _ELISION.split(quote) if each]
    if pieces and pieces != [quote] and all(len(_folded(each).letters) >= _SHORTEST_PIECE for each in pieces):
        found = [_piece(each, source, head) for each in pieces]
        return [span for spans, _ in found for span in spans], min(similarity for _, similarity in found)
    return _alike(quote, source)


def _piece(piece: str, source: str, head: int) -> tuple[list[_Span], float]:
    span = _literal(piece, source, head) or _squashed(piece, source, head)
    return ([span], 1.0) if span else _alike(piece, source)


def _squashed(quote: str, source: str, head: int) -> _Span | None:
    """Where the quote stands but for spaces, marks and case."""
    wanted, there = _dense(_folded(quote)).letters, _dense(_folded(source))
    begin = next((at for at, start in enumerate(there.starts) if start >= head), len(there.starts))
    places = ((at, at + len(wanted)) for at in _places(wanted, there.letters, begin))
    return _best((_marked(there.span(*place), source) for place in places), source)


def _alike(quote: str, source: str) -> tuple[list[_Span], float]:
    """Where a quote most likely comes from, stretch by stretch, and how well it matches."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.fuzz import partial_ratio_alignment

    wanted, there = _folded(quote).letters, _folded(source)
    if not wanted or len(wanted) > 2 * len(there.letters):
        return [], 0.0
    spans, found, length = list[_Span](), 0.0, 0
    for stretch in stretches(wanted):
        place = partial_ratio_alignment(stretch, there.letters)
        if place is None or place.dest_end <= place.dest_start:
            continue
        found, length = found + place.score / 100 * len(stretch), length + len(stretch)
        # What only fills the window up is no part of what was quoted.
        steps = Levenshtein.opcodes(stretch, there.letters[place.dest_start : place.dest_end])
        first, last = place.dest_start, place.dest_end
        if steps and steps[0].tag == "insert":
            first += steps[0].dest_end
        if len(steps) > 1 and steps[-1].tag == "insert":
            last -= steps[-1].dest_end - steps[-1].dest_start
        spans.append(there.span(first, last))
    similarity = min(found / length if length else 0.0, len(there.letters) / len(wanted))
    return [_grown(_marked(span, source), source) for span in _merged(spans)], similarity


def _merged(spans: Sequence[_Span]) -> list[_Span]:
    """Stretches that follow each other as one span."""
    merged = list[_Span]()
    for start, end in spans:
        if merged and merged[-1][0] <= start and -_WIDEST_GAP <= start - merged[-1][1] <= _WIDEST_GAP:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _by_line(span: _Span, source: str, head: int) -> Iterator[str]:
    """A span's text; what it holds of titles, title by title, for nothing joins them in the document."""
    start, end = span
    if start < head:
        yield from filter(None, map(str.strip, source[start : min(end, head)].split("\n")))
    if end > head:
        yield source[max(start, head) : end].strip() if start < head else source[start:end]


def _grown(span: _Span, source: str) -> _Span:
    """The span with the whole of the words and numbers at its edges, and the "not" that stands before it."""
    start, end = span
    while start > 0 and _goes_on(source, start):
        start -= 1
    while end < len(source) and _goes_on(source, end):
        end += 1
    if not source[start : start + 1].isupper():
        before = _NOT_BEFORE.search(source[max(0, start - 24) : start])
        if before:
            start -= len(before[0])
    return start, end


def _goes_on(source: str, at: int) -> bool:
    """Whether a word, number, name or path goes on across a place: within ``100``, ``X-Rate`` or ``/v1/{id}``."""
    left, right = source[at - 1], source[at]
    if _in_word(left) and _in_word(right):
        return True
    if _in_word(left):
        return _joins(right, left, source[at + 1 : at + 2])
    return _in_word(right) and _joins(left, right, source[at - 2 : at - 1] if at > 1 else "")


def _joins(joint: str, here: str, beyond: str) -> bool:
    """Whether a letter between two others makes one of them."""
    if joint in "-/." and (_in_word(beyond) or (joint == "/" and beyond == "{")):
        return True
    return joint in ",:" and here.isdigit() and beyond.isdigit()


def _in_word(letter: str) -> bool:
    return (letter.isalnum() or letter == "_") and letter < _UNSPACED


def _marked(span: _Span, source: str) -> _Span:
    """The span with the Markdown marks that enclose it."""
    start, end = span
    while start > 0 and source[start - 1] in "`*_":
        start -= 1
    while end < len(source) and source[end] in "`*_":
        end += 1
    target = _LINK_TARGET.match(source, end)
    if target and source.rfind("[", start, end) > source.rfind("]", start, end):
        end = target.end()
    return start, end


@lru_cache(maxsize=256)
def _folded(text: str) -> _Folded:
    """Lower case, one space for each run of spaces and marks, plain dashes and quotation marks."""
    letters, starts, ends = list[str](), list[int](), list[int]()
    place, apart = 0, False
    for mark in (*MARKUP.finditer(text), None):
        for at in range(place, mark.start() if mark else len(text)):
            letter = text[at]
            if letter.isspace():
                apart = True
                continue
            plain = _plain(letter)
            if apart and letters and plain[:1] not in (".", ","):
                letters.append(" ")
                starts.append(ends[-1])
                ends.append(at)
            apart = False
            letters += plain
            starts += [at] * len(plain)
            ends += [at + 1] * len(plain)
        if mark:
            place, apart = mark.end(), True
    return _Folded("".join(letters), starts, ends)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    """One letter folded; perhaps several, or none."""
    return unicodedata.normalize("NFKC", letter.translate(SAME)).lower().replace(" ", "")


def _dense(text: _Folded) -> _Folded:
    """Without spaces and quotation marks, which teachers set and leave out as they like."""
    kept = [at for at, letter in enumerate(text.letters) if letter not in " \"'"]
    letters = "".join(text.letters[at] for at in kept)
    return _Folded(letters, [text.starts[at] for at in kept], [text.ends[at] for at in kept])
