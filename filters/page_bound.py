"""``page_bound``: a question or an answer that only makes sense beside its page ("this endpoint", "as shown above").

Some products deal in documents, pages and contexts: where a section speaks of "a document" or "each page", the question
may speak of "the document" and mean none of ours.
"""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig

_THING = (
    r"(?:end-?points?|sections?|pages?|documents?|documentation|docs?|passages?|texts?|paragraphs?|snippets?|tables?|"
    r"lists?|examples?|code|(?:code )?blocks?|functions?|methods?|class(?:es)?|parameters?|fields?|options?|headers?|"
    r"requests?|responses?|errors?|operations?|schemas?|properties|property|attributes?|arguments?|commands?|settings?|"
    r"features?|apis?|cases?|contexts?|quotes?|facts?|statements?|sentences?|guides?|articles?|scenarios?|situations?|"
    r"modes?|values?|steps?|types?|files?|lines?|outputs?|objects?)"
)
_GIVEN = r"(?:above|following|given|provided|aforementioned|quoted|mentioned)"
# "The previous page" is what a pagination API returns; the previous section is ours.
_PRIOR = r"(?:previous|preceding)\s+(?:section|paragraph|passage|example|snippet|table|(?:code )?block|sentence)s?"
_TEXT = r"(?:documents?|documentation|passages?|texts?|snippets?|examples?|sections?|quotes?|context|page)"
_SHOWN = r"(?:mentioned|described|shown|listed|given|provided|stated|explained|seen)"


def _phrases(*phrases: str) -> re.Pattern[str]:
    """A pattern for any of them at a word's beginning, in a text with a space before it.

    It begins with the character before the word, for which a text is searched twice as fast as for the beginning.
    """
    return re.compile(rf"\W(?:{'|'.join(phrases)})")


_QUESTION = _phrases(
    rf"(?:this|these|those)\s+(?:\w+\s+)?{_THING}\b",
    rf"the\s+{_GIVEN}\s+(?:\w+\s+)?{_THING}\b",
    rf"the\s+{_PRIOR}\b",
    rf"(?:in|from|of|by|per|to)\s+the\s+(?:{_TEXT}|provided|following|above)\b(?!\s+(?:tag|element|object))",
    r"the code (?:block|snippet|example|above|below)\b",
    r"according to\b(?!\s+(?:the )?(?:rfc|http|spec))",
    rf"{_SHOWN}\s+(?:here|above|below|in the|earlier|previously)\b",
    rf"as {_SHOWN} (?:in|above|below)\b",
    rf"the (?:code|{_TEXT}) (?:above|below|says?|shows?|states?|mentions?)\b",
    r"what (?:is|are) (?:it|this|that|they|these|those)\b",
    r"(?:the|this) (?:first|second|third|last) example\b",
)
_ANSWER = _phrases(
    rf"according to the (?:provided |given |above )?{_TEXT}\b",
    rf"(?:as|was|is|are) {_SHOWN} (?:above|below|in the (?:passage|section|text|document|example|table))\b",
    r"the (?:passage|provided text|given section|quote) (?:says|states|mentions|shows)\b",
    r"(?:example|code|section|table|list|snippet)s? (?:above|below)\b",
    r"(?<=^.)\W*(?:see|refer to)\s+(?:\[|the|above|below)",
)
# Things that a product may deal in, and how a section speaks of them then.
_NOUN = re.compile(r"\bthe (document|page|context|text|section)\b", re.IGNORECASE)
_INDEFINITE = r"\b(?:an?|any|each|every|per|one|your|new|next|previous|\d+) (?:\w+ )?{noun}s?\b"


@dataclass(frozen=True, slots=True)
class PageBound:
    """Looks for words that point at a page which the reader of the question does not have."""

    name: str = "page_bound"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop if question or answer points outside itself."""
        for text, pattern in ((candidate.pair.question, _QUESTION), (candidate.pair.answer, _ANSWER)):
            for found in pattern.finditer(f" {text.lower()}"):
                if not _dealt_in(found[0], candidate.chunk.text):
                    return Drop(f"points at its page: '{text[found.start() : found.end() - 1].lstrip()}'")
        return None


def _dealt_in(phrase: str, section: str) -> bool:
    """Whether the phrase speaks of a thing that the product deals in."""
    noun = _NOUN.search(phrase)
    return bool(noun and re.search(_INDEFINITE.format(noun=noun[1].lower()), section, re.IGNORECASE))


def make(config: FilterConfig) -> Filter:  # noqa: ARG001 - every filter is made the same way
    """Build the filter."""
    return PageBound()
