"""What a statement can be asked for, so that a small teacher need only phrase the question.

    "To turn retries off, pass the `--no-retry` option."
        ─▶ how to turn retries off (How do I turn retries off …?), `--no-retry` (Which option …?)
    "The upload is retried 4 times."  ─▶ 4 times (How many times …?)

Asking a small model for "questions about this" gives questions about anything. Asking it for the question that a marked
part answers, with the question's first words given, is within its reach (answer-aware question generation).
"""

import re
from collections.abc import Iterator

from generators.entry_foci import entry_foci, row_foci
from generators.focus import NOUN, TIME, UNIT, Focus, base_form

# The opening clause tells what is asked: a purpose, or a condition.
_CLAUSE = r"(?:`[^`]*`|[^,:`]){6,90}"
_PURPOSE = re.compile(
    r"^(?:(?:in order )?to|if you (?:want|need|wish|would like|have) to|if you(?:'d| would) like to) "
    rf"(?P<what>{_CLAUSE})[,:]",
    re.IGNORECASE,
)
_CONDITION = re.compile(rf"^(?P<word>if|when|whenever|once|unless|after|before) (?P<what>{_CLAUSE}),", re.IGNORECASE)
_MEANS = r"(?:using|by|with|via|through|if|when)"
_ABLE = re.compile(
    rf"^(?:you|users|clients|developers) can (?:also )?(?P<what>(?!do\b|be\b)(?:`[^`]+`|[^,.`]){{6,110}}?),? {_MEANS} ",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^(?P<what>(?:Access|Add|Build|Change|Check|Close|Configure|Convert|Create|Customize|Define|Delete|Disable|Download|"
    r"Enable|Export|Get|Handle|Import|Inspect|Install|List|Load|Log|Mount|Move|Open|Override|Read|Register|Remove|"
    r"Rename|Replace|Reset|Retrieve|Run|Select|Send|Set|Specify|Start|Stop|Store|Test|Update|Upload|Validate|Verify|"
    r"Write) (?:`[^`]+`|[^,.`:]){6,90}?),? (?:by|using|with|via|through) ",
)
_MADE_BY = re.compile(
    r"^(?:Use|Pass|Set|Call|Run|Add|Send|Include|Specify) (?:`[^`]+`|[^,.`:]){3,80}? to "
    r"(?P<what>(?!the\b|an?\b|your\b|be\b|`|\d|true\b|false\b|[A-Z])(?:`[^`]+`|[^,;`]){6,90}?)(?:\.|,|;|:|$)"
)
_SUBJECT = (
    rf"(?:(?P<article>[Tt]he|[Aa]n?) )?(?P<name>(?:[\w-]+ ){{0,3}}`[^`\n]{{2,60}}`(?: {NOUN})?"
    r"|(?!(?:You|We|There|This|It|That|These|They|If|When|While|For|In|On|By|To|As|All|Each|Any|Both|Most|Some|No|Not|"
    r"Only|What|Which|How|Here|At|From|With|One|Another|Every|Since|Because|Note|Also|Then|Other|Such)\b)"
    r"[A-Z][\w.+/-]*[A-Za-z\d](?: (?!that\b|which\b|is\b|are\b)[\w/-]+){0,3}"
    r"|(?<=[Tt]he )(?:[a-z][\w-]*|[A-Z][\w-]*)(?: (?!that\b|which\b|is\b|are\b)[\w'/-]+){0,6})"
)
# What a named thing does is worth asking where its verb has an object.
_ACTOR = rf"(?:(?P<article>[Tt]he|[Aa]n?) )?(?P<name>(?:[\w-]+ ){{0,3}}`[^`\n]{{2,60}}`(?: {NOUN})?)"
_IS = re.compile(
    rf"^{_SUBJECT} (?P<verb>is|are) "
    rf"(?=an? |the |[\w.-]+'s |used (?:to|for|by) |how |what |where |one of |`|\d|[\w-]+ {UNIT}\b)"
)
_DOES = re.compile(
    rf"^{_ACTOR} (?!is\b|has\b|was\b|does\b|as\b|its\b)(?P<verb>[a-z]{{2,}}s) "
    r"(?=(?:the|an?|its|your|all|any|each|every|whether|how|which|what|that|only)\b|`|\d)"
)
_CLAUSES = (_PURPOSE, _ABLE, _CONDITION, _IMPERATIVE, _MADE_BY)
_EARLY = 20  # characters: a clause that begins so early opens the statement, and its names are in the question
_IDLE = re.compile(r"^you(?:'re| are| do\b)|_\w+_|^in most\b", re.IGNORECASE)
_POINTS_BACK = re.compile(
    r"\b(?:this|that|these|those|it|its|they|them|so|such|above|below|following|(?:the|both|one of the) two)\b",
    re.IGNORECASE,
)
_COUNT = r"(?:\d[\d,]*(?:\.\d+)?|two|three|four|five|six|seven|eight|nine|ten|twelve)"
# "8 open requests": what is counted may have a word before it, which is no verb and joins nothing.
_COUNTED = rf"(?: (?!(?:and|or|which|that|is|are|in|of)\b)[a-z]+)? {UNIT}"
_AMOUNT = re.compile(
    r"(?<![\w.:`/#$-])(?<!status )(?P<lead>after|within|every|up to|at (?:most|least)|for|than|only|(?:max|min)imum of)"
    rf" (?:\w+ )?(?P<count>{_COUNT})(?P<unit>{_COUNTED})(?![\w`-])"
    rf"|(?<![\w.:`/#$-])(?<!status )(?P<bare>{_COUNT})(?P<what>{_COUNTED})(?![\w`-])",
)
_STATUS = re.compile(r"\bstatus (?:code )?(?P<code>[1-5]\d\d)\b")
_NAMED_BEFORE = re.compile(rf"(?<!by )\b(?P<noun>{NOUN})s? (?P<name>`[^`\n]{{2,60}}`)")
_NAMED_AFTER = re.compile(rf"(?P<name>`[^`\n]{{2,60}}`) (?:[a-z-]+ )?(?P<noun>{NOUN})\b")
_REQUEST = re.compile(r"(?P<name>`(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^`\n]{1,80}`)")
_RAISED = re.compile(r"\b(?:raise|throw)s? (?:an? |the )?(?P<name>`[\w.]+`|[A-Z]\w+(?:Error|Exception)\b)")


def foci(statement: str, count: int, owner: str = "", *, row: bool = False) -> list[Focus]:
    """List at most ``count`` things that the statement answers, the most telling first; none if nothing stands out.

    Args:
        statement: As an answer puts it.
        count: At most.
        owner: What the statement belongs to, such as an operation; a parameter is asked for as one of its.
        row: It is a table's row.
    """
    chosen: list[Focus] = []
    for focus in _candidates(statement, owner, row=row):
        if not any(_same(focus, other) for other in chosen):
            chosen.append(focus)
        if len(chosen) == count:
            break
    return chosen


def _same(one: Focus, other: Focus) -> bool:
    """Whether two foci ask for the same, but for a name and what that name is: a question and its reverse."""
    if one.opening == other.opening:
        return True
    contained = one.asks in other.asks or other.asks in one.asks
    return contained and not (one.asks.startswith("what ") or other.asks.startswith("what "))


def _candidates(statement: str, owner: str, *, row: bool) -> Iterator[Focus]:
    if row:
        yield from row_foci(statement)
        return
    entries = entry_foci(statement, owner)
    if entries:
        yield from entries
        return
    opening = next((found for clause in _CLAUSES if (found := clause.match(statement))), None)
    if opening and not _POINTS_BACK.search(opening["what"]) and not _IDLE.search(opening["what"]):
        yield _of_clause(opening)
    body = statement[opening.end("what") :] if opening and opening.start("what") < _EARLY else statement
    if not opening:
        yield from _about_subject(statement)
    yield from _amounts(body)
    yield from _named(body)


def _of_clause(opening: re.Match[str]) -> Focus:
    what, word = " ".join(opening["what"].split()), opening.groupdict().get("word")
    what = what[0].lower() + what[1:] if what[:2].istitle() or what[1:2] == " " else what
    if word:
        return Focus(f"what happens {word.lower()} {what}", (f"What happens {word.lower()} {what}",), whole=True)
    mine = re.sub(r"\byourself\b", "myself", re.sub(r"\byour\b", "my", re.sub(r"\byou\b", "I", what)))
    return Focus(f"how to {what}", (f"How do I {mine}",), whole=True)


def _about_subject(statement: str) -> Iterator[Focus]:
    """What the statement's subject is or does."""
    being, doing = _IS.match(statement), _DOES.match(statement)
    found = being or doing
    if not found or _POINTS_BACK.search(found["name"]):
        return
    article = f"{found['article'].lower()} " if found["article"] else ""
    if being:
        opening = f"What {found['verb']} {article}{found['name']}"
        yield Focus(f"what {article}{found['name']} is", (opening,), whole=True)
    elif verb := base_form(found["verb"]):
        opening = f"What does {article}{found['name']} {verb}"
        yield Focus(f"what {article}{found['name']} does", (opening,), whole=True)


def _amounts(body: str) -> Iterator[Focus]:
    for found in _AMOUNT.finditer(body):
        lead = (found["lead"] or "").lower()
        unit = (found["unit"] or found["what"]).strip()
        many = f"how {'large' if re.fullmatch('[kMGT]i?B|bytes', unit) else f'many {unit}'}"
        openings = [many.capitalize()]
        if re.search(rf"{TIME}$", unit):
            openings = ["How long", many.capitalize()]
        if lead in {"after", "within", "every"}:
            openings = [f"{lead} {many}".capitalize()]
        counted = found["count"] or found["bare"]
        yield Focus(f"{lead} {counted} {unit}".strip(), tuple(openings))
    for status in _STATUS.finditer(body):
        yield Focus(status[0], ("Which status", "With which status"))


def _named(body: str) -> Iterator[Focus]:
    """Names that stand beside what they are: that word begins the question."""
    for pattern, fixed in ((_NAMED_BEFORE, ""), (_NAMED_AFTER, ""), (_REQUEST, "request"), (_RAISED, "exception")):
        for found in reversed(list(pattern.finditer(body))):
            if body.count(found["name"]) == 1:
                yield Focus(found["name"], (f"Which {fixed or found['noun']}",))
