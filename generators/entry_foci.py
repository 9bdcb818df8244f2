"""What a parameter, a field or a table's row can be asked for: the questions that such entries answer are known.

"`limit` (query, integer, default 25): Page size.", "`GET /rows`"
    ─▶ What is the query parameter `limit` of `GET /rows` …?, What is the default of …?
"Status: `draft`; Meaning: created, not paid"  ─▶ What does the status `draft` mean …?
"""

import re
from collections.abc import Iterator

from generators.focus import Focus

# A parameter, property or field with what is known of it, as API descriptions list them.
_ENTRY = re.compile(
    r"^(?P<name>`[^`\n]{1,80}`)(?: ?\((?P<known>(?:`[^`]*`|[^()`]|\([^()]*\))*)\))?"
    r"(?:(?: ?[:–—]| -|, (?=[a-z]))\s*(?P<text>.*))?$",
    re.DOTALL,
)
_PLACES = {
    "query": "query parameter",
    "path": "path parameter",
    "header": "header",
    "cookie": "cookie",
    "response header": "response header",
}
_WORTH = re.compile(r"\b[a-z]{3,}\b", re.IGNORECASE)
_A_MEANING, _A_DESCRIPTION = 2, 4  # so many such words tell what an entry is, or single it out
# What is known of an entry ─▶ the question that it answers.
_KNOWN: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), asks, opening)
    for pattern, asks, opening in (
        (r"\bone of `", "the values of {subject}", "Which values can {subject} have"),
        (r"\bdefaults? (?:is |to )?\S", "the default of {subject}", "What is the default of {subject}"),
        (r"\bmaximum \d", "the maximum of {subject}", "What is the maximum of {subject}"),
        (r"\bmax length \d", "the length of {subject}", "How long may {subject} be"),
        (r"\bformat [\w-]", "the format of {subject}", "What is the format of {subject}"),
    )
)
_MEANING = re.compile(r"^(?:meaning|description|explanation|details?|purpose|what it (?:does|means)|definition)", re.I)
_LONGEST_KEY = 80
_CELL = re.compile(r"(?:^|; )(?P<title>[^:;`]{1,40}): ")


def entry_foci(statement: str, owner: str) -> list[Focus]:
    """What an entry answers; nothing if the statement is none.

    Args:
        statement: As an answer puts it.
        owner: The operation or schema that the entry is of, as a question names it; may be empty.
    """
    entry = _ENTRY.match(statement)
    if not entry or not (entry["known"] or entry["text"]):
        return []
    of_owner = f" of {owner}" if owner else ""
    name, known, text = entry["name"], entry["known"] or "", entry["text"] or ""
    if re.fullmatch(r"`[1-5](?:\d\d|XX)`", name):
        return [Focus(f"what status {name}{of_owner} means", (f"What does status {name}{of_owner} mean",), whole=True)]
    # A plain word, or a member without its class, names nothing by itself.
    if not owner and (name.startswith("`.") or (not known and re.fullmatch(r"`[a-z]+`", name))):
        return []
    role = _role(known, owner)
    subject = f"the {role} {name}{of_owner}" if role else f"{name}{of_owner}"
    return list(_about_entry(subject, name, role, known, text))


def _role(known: str, owner: str) -> str:
    place = known.partition(",")[0].strip()
    return _PLACES.get(place, "field" if owner else "")


def _about_entry(subject: str, name: str, role: str, known: str, text: str) -> Iterator[Focus]:
    if len(_WORTH.findall(text)) >= _A_MEANING:
        yield Focus(f"what {subject} is", (f"What is {subject}",), whole=True)
    for pattern, asks, opening in _KNOWN:
        in_text = opening.startswith("What is the default") and pattern.search(text)
        if pattern.search(known) or in_text:
            yield Focus(asks.format(subject=subject), (opening.format(subject=subject),), whole=True)
    if len(_WORTH.findall(text)) >= _A_DESCRIPTION:
        yield Focus(name, (f"Which {role}{subject.partition(name)[2]}" if role else "Which",))
    if "required" in known or "optional" in known:
        yield Focus(f"whether {subject} is required", (f"Is {subject} required or optional",), whole=True)


def row_foci(row: str) -> Iterator[Focus]:
    """What a table's row answers: one column, given the first."""
    found = list(_CELL.finditer(row))
    ends = [*[cell.start() for cell in found], len(row)][1:]
    values = [(cell["title"].strip(), row[cell.end() : end].strip()) for cell, end in zip(found, ends, strict=False)]
    if len(values) < 2:
        return
    # A name tells rows apart better than the words, or the status, that many of them share.
    at = next((at for at, (_, value) in enumerate(values) if value.startswith("`")), 0)
    (first, key), others = values[at], values[:at] + values[at + 1 :]
    for title, value in reversed(others):
        if not value or len(key) > _LONGEST_KEY or value in {"-", "–", "—", "N/A", "n/a"}:
            continue
        told = f"the {first.lower()} {key}"
        if _MEANING.match(title):
            yield Focus(value, (f"What does {told} mean", f"What is {told}"), whole=True)
        elif re.match(r"[A-Z]?\w+ when$", title):
            yield Focus(value, ("When",))
        else:
            asked = tuple(f"What is the {title.lower()} {word} {told}" for word in ("of", "for"))
            yield Focus(value, asked, whole=True)
