"""``off_answer``: a question that its answer does not answer, as far as words and the kind of question tell.

For teachers that only write the question to a given answer (small ones, bound by schema): what such a question asks
about must stand in the answer, and the answer must be of the kind asked for. Off (``answer_overlap = 0``) for teachers
that phrase freely.
"""

import re
from dataclasses import dataclass

from filters.apply import Candidate, Drop, Filter, FilterConfig
from generators.names import values
from generators.records import Pair
from generators.statements import stands_alone
from generators.words import content_words

_CODE_SPAN = re.compile(r"`[^`]+`")
_CALL = re.compile(r"`[\w.]+\([^`]*\)`")
_EXAMPLE = re.compile(r"\b(?:for example|e\.g|for instance|like so|like this)\W*$", re.IGNORECASE)
_DEFINITION = re.compile(r"^What (?:is|are) (?!the purpose of )(?:the |an? )?(\S+(?: \S+){0,3})\?$")
_WHICH = re.compile(
    r"^(?:with |in |on |by |for |at )?which ((?:(?!is\b|are\b|does\b|do\b|can\b)[\w-]+ ?){1,2})", re.IGNORECASE
)
# An entry of an API description is asked for by words that it need not hold ("How long may …", "Which field sets …"),
# and the reader itself adds "See schema `X`." to it, by the whole name.
_ENTRY = re.compile(r"^`[^`\n]{1,80}` ?(?:\(|:)")
_OF_ENTRIES = (
    "query path parameter field property header cookie schema operation required optional maximum status length "
    "long sets values purpose"
)
_SEE_SCHEMA = re.compile(r" See schemas? `[^`]+`(?:, `[^`]+`)*\.?$")
# What "How do I …?" asks for when it asks for no more than the means: the answer need not say it again.
_MEANS = re.compile(
    r"^How (?:do|can|should) (?:I|you|we) (access|specify|define|determine|obtain|retrieve|check|find) \S",
    re.IGNORECASE,
)
# (what the question begins with or holds, what the answer must then hold)
_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(needed, re.IGNORECASE), what)
    for asked, needed, what in (
        (
            r"\bhow (?:many|much|long|often|large|big|far|fast)\b|\bhow old\b",
            r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|once|twice|never|unlimited|every|no)\b",
            "a number",
        ),
        (
            r"\bdifference between\b|\bdiffer from\b|\bcompare\b",
            r"\b(?:whereas|while|unlike|differ|however)",
            "a comparison",
        ),
        (r"^how often\b", r"\b(?:every|per|once|times|daily|weekly|monthly|hourly|each)\b", "how often"),
        (r"^which (?:is|are)\b", r"$^", "one of many"),
        (r"^\W*why\b", r"\b(?:because|since|so that|so|due|to|for|prevent|avoid|ensure|as|reason)\b", "a reason"),
        (
            r"^\W*when\b",
            r"\b(?:when|if|after|before|once|while|until|on|during|every|at|by|whenever|unless|for|in case|from|with)",
            "a condition or time",
        ),
        (
            r"^\W*what (?:is|are) (?:the |an? )?\S+\??$",
            r"\b(?:is|are|means?|stands? for|represents?|provides?|allows?|describes?|refers?)\b|:"
            r"|^`[^`]+`(?:,| [-–—]) ",
            "a definition",
        ),
        (
            r"\b(?:purpose|used for|use of|role of)\b",
            r"\b(?:to|for|used?|uses|allows?|lets|enables?|provides?|determines?|controls?|sets?|specif)",
            "a purpose",
        ),
        (r"\bhow does \S+(?: \S+){0,3} work\b", r"$^", "more than a sentence"),
        (
            r"\b(?:best practices?|some (?:common|examples?)|advantages?|benefits?|limitations?|drawbacks?)\b",
            r"$^",
            "an essay",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class OffAnswer:
    """Compares what the question asks about with what its answer says."""

    config: FilterConfig
    name: str = "off_answer"

    def judge(self, candidate: Candidate) -> Drop | None:
        """Drop a question that asks for something else."""
        if not self.config.answer_overlap:
            return None
        pair, heading = candidate.pair, " ".join(candidate.chunk.heading)
        carried = content_words(pair.answer).union(*map(content_words, pair.quotes))
        form = _OF_ENTRIES if _ENTRY.match(pair.answer) else _form_asked(pair.question, pair.answer)
        context = f"{heading} {form}"
        only_context = (content_words(heading) | content_words(form)) - carried
        asked = content_words(pair.question) - only_context
        shared = len(asked & carried) / len(asked) if asked else 0.0
        if shared < self.config.answer_overlap:
            return Drop(f"only {shared:.0%} of what it asks about stands in its answer", similarity=round(shared, 4))
        if not content_words(pair.question) & content_words(pair.answer):
            return Drop("nothing that it asks about stands in its answer")
        foreign = _foreign(pair, heading)
        if foreign:
            return Drop(f"asks about '{foreign}', which its answer does not hold")
        announced = pair.quotes[-1].rstrip().endswith(":")
        outside = _not_by_itself(pair.question, pair.answer, announced=announced)
        return outside or _wrong_kind(pair.question, pair.answer, context)


def _foreign(pair: Pair, heading: str) -> str:
    """A value of the question that neither answer, quotes nor heading hold, if there is one."""
    asked = values(pair.question)
    told = "\n".join((pair.answer, *pair.quotes, heading)).lower() if asked else ""
    return min((value for value in asked if value.lower() not in told), default="")


def _form_asked(question: str, answer: str) -> str:
    """Words of a question that say how it asks, not what for: the answer shows by itself that it fits them."""
    found = re.match(r"Which (request|exception|status code)\b", question)
    if found:
        return found[1]
    called = re.match(r"Which (method|function)\b", question)
    if called and _CALL.search(answer):
        return called[1]
    means = _MEANS.match(question)
    if means:
        return means[1]
    return "purpose" if question.startswith("What is the purpose of ") else ""


def _not_by_itself(question: str, answer: str, *, announced: bool) -> Drop | None:
    """Drop an answer that announces or points, and a question that names the same twice or asks which is what."""
    entry = _ENTRY.match(answer)
    if not stands_alone(_SEE_SCHEMA.sub("", answer) if entry else answer):
        return Drop("the answer points at something outside itself")
    if _EXAMPLE.search(answer) or (announced and not values(answer) and not _CODE_SPAN.search(answer)):
        return Drop("the answer announces what does not follow")
    named = _CODE_SPAN.findall(question)
    if len(named) != len(set(named)):
        return Drop("the question names the same thing twice")
    definition = _DEFINITION.match(question)
    if definition and not content_words(definition[1]) <= content_words(" ".join(answer.split()[:8])):
        return Drop("asks what something is, which its answer does not begin with")
    return None


def _wrong_kind(question: str, answer: str, context: str) -> Drop | None:
    """Drop a question for one kind of thing whose answer is another."""
    which = _WHICH.match(question)
    if which and not content_words(which[1]) & (content_words(answer) | content_words(context)):
        return Drop(f"asks which {which[1]}, of which its answer knows nothing")
    defined = _DEFINITION.match(question)
    named = defined is not None and answer.lower().startswith(defined[1].lower())
    if len(content_words(question)) < 2 and not values(question) and not named:
        return Drop("asks about next to nothing")
    for asked, needed, what in _KINDS:
        if asked.search(question) and not needed.search(answer):
            return Drop(f"asks for {what}, which its answer is not")
    return None


def make(config: FilterConfig) -> Filter:
    """Build the filter."""
    return OffAnswer(config)
