"""Definition lists that document code, as Sphinx writes them -> title, signature and language of each entry."""

from dataclasses import dataclass

from bs4 import Tag

from generators.docs.html_chrome import classes, shown_strings
from generators.docs.html_names import OBJECT_CLASSES

_DOMAINS = {"py": "python", "c": "c", "cpp": "cpp", "js": "javascript", "rst": "rst"}
_SHORT = 100


@dataclass(frozen=True, slots=True)
class Signature:
    """One form of a documented name."""

    title: str
    text: str
    language: str
    line: int


def has_signatures(tag: Tag) -> bool:
    """Whether the terms of a definition list are documented names."""
    first = tag.find("dt", recursive=False)
    if not isinstance(first, Tag):
        return False
    own = set(classes(tag))
    return (
        "sig" in classes(first) or bool(own & set(_DOMAINS)) or (bool(own & OBJECT_CLASSES) and bool(first.get("id")))
    )


def signature(term: Tag, owner: Tag, line: int) -> Signature:
    """Read one term of such a list."""
    text = _plain(term)
    kinds = set(classes(owner))
    language = next((_DOMAINS[name] for name in classes(owner) if name in _DOMAINS), "")
    if not language and not kinds & {"std", "option", "envvar", "cmdoption"}:
        language = "python"
    names = [_plain(tag) for tag in term.find_all(class_=["sig-name", "descname"])]
    owners = [_plain(tag) for tag in term.find_all(class_=["sig-prename", "descclassname"])]
    if len(names) != 1:
        return Signature(text if len(text) <= _SHORT else f"{text[:_SHORT]}…", text, language, line)
    prefix = owners[0] if owners else ""
    before, _, after = text.partition(names[0])
    keyword = before.removesuffix(prefix).strip()
    is_type = keyword in ("class", "exception")
    title = f"{f'{keyword} ' if is_type else ''}{prefix}{names[0]}"
    return Signature(f"{title}()" if after.startswith("(") and not is_type else title, text, language, line)


def _plain(tag: Tag) -> str:
    return " ".join("".join(shown_strings(tag)).replace("\u200b", "").split())
