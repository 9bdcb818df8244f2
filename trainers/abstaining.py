"""Whether an answer declines to answer: "I don't know", "the documentation does not say", or nothing at all.

    "I'm not sure; the docs do not mention it." ─▶ True          "The default is `None`." ─▶ False

Only the beginning counts: an answer that first answers and then adds what is not documented has answered.
"""

import re

# Longer preambles are answers that happen to hold such words.
_BEGINNING = 160
_ABSTAINS = re.compile(
    r"""
    ^\W*(?:sorry|unfortunately|as\ an\ ai|unknown\W*$|n/a\W*$|not\ (?:specified|documented|mentioned|stated)\b)
  | \bi(?:'m|\ am)\ (?:not\ (?:sure|aware|certain|familiar|able)|unable|unaware|sorry)
  | \bi\ (?:do\ not|don't|cannot|can't|could\ not|couldn't)\ (?:\w+\ ){0,2}
        (?:know|answer|find|say|tell|determine|have|help|provide|see|assist)
  | \b(?:docs?|documentation|documents?|text|section|sections|passage|context|page|information|source|material)\b
        (?:\ \w+){0,3}\ (?:do|does|did|is|are)(?:\ not|n't)\ (?:\w+\ ){0,2}
        (?:say|state|mention|specify|describe|cover|contain|include|provide|give|list|define|document|
           documented|mentioned|specified|covered|described|provided|stated|given|available)
  | \b(?:is|are)(?:\ not|n't)\ (?:\w+\ ){0,2}
        (?:mentioned|specified|documented|described|stated|covered|given|listed|provided)
        \ (?:anywhere|in\ the|by\ the)
  | \bno\ (?:information|mention|documentation|details?)\ (?:\w+\ ){0,3}(?:about|on|of|for|is|available|given|provided)
  | \bnot\ in\ the\ (?:\w+\ )?(?:docs?|documentation|sections?)\b
  | \bthere\ is\ no\ (?:such|(?:\w+\ )?information|mention|documented)
    """,
    re.IGNORECASE | re.VERBOSE,
)

_NO_SUCH_THING = re.compile(
    r"\b(?:does not|doesn't|do not|don't) (?:exist|have|define|offer|provide|support|recogni[sz]e|know)\b"
    r"|\b(?:there is|there's|has|have) no\b|\bno such\b"
    r"|\b(?:is not|isn't) (?:a|an|part of|one of|among|defined|available|supported|valid|known|something)\b",
    re.IGNORECASE,
)


def declines(answer: str) -> bool:
    """Whether what has no answer was declined: by an abstention, or by saying that there is no such thing."""
    beginning = answer.strip()[:_BEGINNING].replace("’", "'")
    return abstains(answer) or _NO_SUCH_THING.search(beginning) is not None


def abstains(answer: str) -> bool:
    """Whether the answer is an abstention (not attempted, in SimpleQA's terms, arXiv 2411.04368)."""
    beginning = answer.strip()[:_BEGINNING].replace("’", "'")
    return not any(character.isalnum() for character in beginning) or _ABSTAINS.search(beginning) is not None
