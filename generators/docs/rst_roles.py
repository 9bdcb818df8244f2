"""Any role of reStructuredText, known or not, read for its text: ``:name:`text``` -> code or plain text.

What a role refers to lies in other files, so a reference is replaced by the words that a reader sees.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from docutils import nodes
from docutils.parsers.rst import states
from docutils.utils import unescape

_KINDS: Mapping[str, str] = {
    name: kind
    for kind, names in {
        "code": "code literal samp file kbd command program mimetype regexp manpage",  # there is no target in these
        "text": "ref numref eq doc term download any abbr abbreviation acronym dfn emphasis strong inline title "
        "title-reference guilabel menuselection index",
        "math": "math",
        "raw": "raw",
    }.items()
    for name in names.split()
}
_PREFIXES: Mapping[str, str] = {
    "pep": "PEP ",
    "rfc": "RFC ",
    "sup": "^",
    "superscript": "^",
    "sub": "_",
    "subscript": "_",
}
_TITLE_AND_TARGET = re.compile(r"(?s)(.+?)\s*<([^<>]+)>")


def text_role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,  # noqa: ARG001  (docutils' protocol)
    inliner: states.Inliner,
    options: Mapping[str, Any] | None = None,  # noqa: ARG001
    content: Sequence[str] | None = None,  # noqa: ARG001
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Serve docutils as any role: -> the role's nodes, and no complaints."""
    custom: Mapping[str, str] = inliner.document.settings.custom_roles
    name = custom.get(name.lower(), name.lower()).rpartition(":")[2]
    match _KINDS.get(name):
        case "raw":
            return [], []
        case "math":
            return [nodes.math(rawtext, unescape(text, restore_backslashes=True))], []
        case "code":
            return [nodes.literal(rawtext, unescape(text, restore_backslashes=True))], []
    return [_reference(rawtext, name, unescape(text))], []


def _reference(rawtext: str, name: str, text: str) -> nodes.Element:
    """A reference, as its title if it has one; a label alone is kept as ``label``, to be looked up later."""
    explicit = _TITLE_AND_TARGET.fullmatch(text)
    shown = explicit[1] if explicit else text
    if name in _PREFIXES:
        return nodes.inline(rawtext, _PREFIXES[name] + shown)
    if _KINDS.get(name) == "text":
        shown = shown.replace("&", "") if name == "guilabel" else shown
        return nodes.inline(rawtext, shown, label="" if explicit else text)
    if shown[:1].isdigit():  # a link to an issue tracker, such as :issue:`12`
        return nodes.inline(rawtext, f"{name} {shown}".strip())
    if any(mark.isspace() for mark in shown) and "(" not in shown:
        return nodes.inline(rawtext, shown)
    shown = shown.lstrip("!")
    return nodes.literal(rawtext, shown.rpartition(".")[2] if shown[:1] == "~" else shown.removeprefix("."))
