"""More wordings of a question, by rules of grammar: a student learns a fact from several, and is tested on another.

    "How do I turn retries off?" ─▶ "To turn retries off, what do I have to do?", "Show me how to turn retries off.", …

For questions whose form is known, as a bound teacher's are (``generators.focus``): a small teacher that is asked to
rephrase changes what is asked, a rule does not. All names and numbers stay as they are. Wordings that are too alike to
stand on two sides of the test are left out, so a long question gets fewer.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from generators.focus import NOUN
from generators.records import Pair, content_id
from generators.unanswerable import RULES, draw

TEACHER = f"{RULES}rewording"
_ALIKE = 0.75  # of character 5-grams; a leak begins at 0.8
_GRAM = 5
# A subject that is certainly one: a name, or "the `x` class". What follows it is the verb.
_SUBJECT = rf"(?:[Tt]he `[^`]+` {NOUN}|`[^`]+`|[A-Z][\w./-]*(?!')\b)"
# What is asked for by its kind, and the verb in the singular that goes with it.
_ASKED = rf"(?:[\w-]+ ){{0,2}}?{NOUN}(?: of (?:(?:the|an?) )?(?:(?:[\w-]+|`[^`]+`) ){{0,2}}?(?:[\w-]+|`[^`]+`))?"
_PLURAL = rf"(?:{NOUN}|code|name|value|number|message|id|link|line)s\b"
_FINITE = rf"(?!{_PLURAL}|does (?!not))(?:is|was|has|does not|can|must|will|should|may|[a-z]{{2,}}(?<![siu])s)\b"

_Templates = tuple[str, ...]
_WHEN = ("when", "if", "while", "after", "before", "once")


def rewordings(pair: Pair, count: int) -> list[Pair]:
    """Ask for the same in other words.

    Args:
        pair: An accepted pair.
        count: How many, at most.

    Returns:
        Pairs of the same fact and chunk with the same answer; the same ones for the same pair, whatever else there is.
    """
    kept = [_grams(pair.question)]
    found: list[Pair] = []
    candidates = list(dict.fromkeys(_wordings(pair.question)))
    for question in sorted(candidates, key=lambda each: draw("rewording", each)):
        grams = _grams(question)
        if len(found) < count and all(_similarity(grams, other) < _ALIKE for other in kept):
            kept.append(grams)
            found.append(_reworded(pair, question))
    return found


def _reworded(pair: Pair, question: str) -> Pair:
    # Of the pair's id, not of its section's: an edit that leaves the pair leaves its wordings and their splits.
    return replace(pair, id=content_id("rewording", pair.id, question), question=question, teacher=TEACHER, template="")


def _wordings(question: str) -> Iterator[str]:
    """All that the first rule that knows the question's form makes of it."""
    body = question.rstrip("?").rstrip()
    for form, templates in _FORMS:
        if found := form.fullmatch(body):
            filled = templates(found) if callable(templates) else templates
            for template in filled:
                yield _capital(template.format(**found.groupdict()))
            return


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def third_person(verb: str) -> str:
    """A verb's form after he, she, it: ``match`` gives ``matches``."""
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")


def _doing(found: re.Match[str]) -> _Templates:
    """What does X VERB …?"""
    verb = third_person(found["verb"])
    return (
        f"what is it that {{subject}} {verb}{{rest}}?",
        f"tell me what {{subject}} {verb}{{rest}}.",
        "as for {subject}, what does it {verb}{rest}?",
        f"I would like to know what {{subject}} {verb}{{rest}}.",
    )


def _which_does(found: re.Match[str]) -> _Templates:
    """Which N does X VERB …?"""
    verb = third_person(found["verb"])
    return (
        "what {noun} does {subject} {verb}{rest}?",
        f"what is the {{noun}} that {{subject}} {verb}{{rest}}?",
        f"tell me the {{noun}} that {{subject}} {verb}{{rest}}.",
        "as for {subject}, which {noun} does it {verb}{rest}?",
    )


_Rule = _Templates | Callable[[re.Match[str]], _Templates]

_FORMS: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(pattern), templates)
    for pattern, templates in (
        (
            r"How (?:do|can) I (?P<what>.+)",
            (
                "what is the way to {what}?",
                "to {what}, what do I have to do?",
                "I want to {what}. How is that done?",
                "show me how to {what}.",
                "what should I do in order to {what}?",
                "is there a way to {what}, and what is it?",
                "how would one {what}?",
            ),
        ),
        (
            rf"What happens (?P<when>{'|'.join(_WHEN)}) (?P<what>.+)",
            (
                "{when} {what}, what happens?",
                "what should I expect {when} {what}?",
                "what follows {when} {what}?",
                "{when} {what}: what is the consequence?",
                "tell me what will happen {when} {what}.",
            ),
        ),
        (
            r"(?:Is|Are) (?P<what>.+) required or optional",
            (
                "do I have to give {what}?",
                "may I leave out {what}?",
                "{what}: required, or not?",
                "can a call do without {what}?",
                "must {what} be there?",
            ),
        ),
        (
            r"What is the default(?: value)? of (?P<what>.+)",
            (
                "which default does {what} have?",
                "if I do not set {what}, what is used?",
                "{what} has what value by default?",
                "tell me the default for {what}.",
                "without a value of my own, what is {what} set to?",
            ),
        ),
        (
            r"Which values can (?P<what>.+) have",
            (
                "what are the possible values of {what}?",
                "what may {what} be set to?",
                "list the values that {what} accepts.",
                "{what} takes one of which values?",
            ),
        ),
        (
            # An entry of an operation or a schema.
            r"What is (?P<entry>the (?:[a-z]+ ){1,2}`[^`]+`) of (?P<owner>(?:the schema )?`[^`]+`)",
            (
                "in {owner}, what is {entry}?",
                "what does {entry} mean in {owner}?",
                "describe {entry} of {owner}.",
                "{owner} has {entry}. What is it?",
                "looking at {owner}: what is {entry} for?",
                "what do I need to know about {entry} of {owner}?",
            ),
        ),
        (
            r"What (?P<be>is|are) (?P<what>the (?:type|format|unit|length|maximum|minimum|purpose|status|path|name)"
            r" (?:of|for) .+)",
            ("tell me {what}.", "I need to know {what}.", "can you tell me what {what} {be}?", "what about {what}?"),
        ),
        (
            r"What (?P<be>is|are) (?P<what>.+)",
            (
                "what {be} meant by {what}?",
                "can you explain what {what} {be}?",
                "describe {what}.",
                "how would you describe {what}?",
                "tell me about {what}.",
                "{what}: what {be} that?",
            ),
        ),
        (
            r"What does (?P<what>.+) do",
            (
                "what is {what} for?",
                "what is the purpose of {what}?",
                "tell me what {what} does.",
                "which role does {what} play?",
                "why would I use {what}?",
                "describe what {what} is there for.",
            ),
        ),
        (
            r"What does (?P<what>.+) mean",
            (
                "what is the meaning of {what}?",
                "how is {what} to be understood?",
                "what does it tell me when I see {what}?",
                "explain {what}.",
                "what am I to make of {what}?",
            ),
        ),
        (rf"What does (?P<subject>{_SUBJECT}) (?P<verb>[a-z]{{3,}})(?P<rest>(?: .+)?)", _doing),
        (rf"Which (?P<noun>[^`]+?) does (?P<subject>{_SUBJECT}) (?P<verb>[a-z]{{3,}})(?P<rest>(?: .+)?)", _which_does),
        (
            r"Which (?P<noun>[^`]+?) (?:do|can|should) I (?P<what>.+)",
            (
                "what {noun} do I {what}?",
                "what is the {noun} that I {what}?",
                "tell me the {noun} I {what}.",
                "I need the {noun} that I {what}.",
            ),
        ),
        (
            r"Which (?P<noun>[^`]+?) (?:is|can be|must be|should be) used to (?P<what>.+)",
            (
                "what {noun} do I use to {what}?",
                "to {what}, which {noun} is there?",
                "I want to {what}. Which {noun} is that?",
                "what is the name of the {noun} to {what}?",
            ),
        ),
        (
            rf"Which (?P<noun>{_ASKED}) (?P<rest>(?!(?:is|can|should|must) (?:I|we|you)\b){_FINITE}.*)",
            (
                "what {noun} {rest}?",
                "what is the {noun} that {rest}?",
                "I am looking for the {noun} that {rest}.",
                "name the {noun} that {rest}.",
                "there is some {noun} that {rest}: which one?",
            ),
        ),
        (
            r"(?P<how>How (?:many|much|long|often|large|big|far|fast|old) .+|When .+|Where .+|Why .+|Who .+|"
            r"(?:In|With|For|On|At|To|From|By) (?:which|what) .+|(?:Which|What) .+)",
            lambda found: (
                "please tell me: " + _small(found) + "?",
                "one question: " + _small(found) + "?",
                "what I need to know is this: " + _small(found) + "?",
            ),
        ),
    )
)


def _small(found: re.Match[str]) -> str:
    """The question inside another sentence; braces are no placeholders there."""
    text = found["how"].replace("{", "{{").replace("}", "}}")
    return text[:1].lower() + text[1:]


def _grams(text: str) -> frozenset[str]:
    lowered = text.lower()
    return frozenset(lowered[at : at + _GRAM] for at in range(max(1, len(lowered) - _GRAM + 1)))


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
