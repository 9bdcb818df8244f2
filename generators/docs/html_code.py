"""Code of a page -> its text, line breaks kept exactly, and its language."""

import re

from bs4 import Tag

from generators.docs.html_chrome import attribute, classes, is_dropped, is_text


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LINE_NUMBERS = _words("linenos lineno line-number line-numbers line-numbers-rows gutter ln lnt lines")
_LINE_TAGS = _words("div li p tr")
_CODE_TABLES = _words("highlighttable rouge-table lntable codehilitetable")
# Code that is not in ``pre``: Doxygen's listings and prototypes, Javadoc's signatures.
_CODE_CLASSES = {"fragment": "cpp", "memproto": "cpp", "member-signature": "java", "type-signature": "java"}
_ONE_LINE = frozenset(("memproto",))

_LANGUAGE = re.compile(r"(?:language|lang|highlight-source|highlight|brush)[-:](.+)", re.IGNORECASE)
_ALIASES = {"python3": "python", "ipython3": "python", "py": "python"}
_ALIASES |= dict.fromkeys(("default", "none", "text", "plain"), "")
_BARE_NAMES = _words("python java rust c cpp javascript bash sh shell console yaml json xml html sql go ruby")


def code_in(tag: Tag) -> list[tuple[str, str]] | None:
    """The pieces of code that an element is, each with its language; None if it is none."""
    own = classes(tag)
    if tag.name == "pre":
        variants = [child for child in tag.find_all("code", recursive=False) if not is_dropped(child)]
        if len(variants) > 1 and all(_LANGUAGE.fullmatch(name) for one in variants for name in classes(one)[:1]):
            return [(_text(one), _language(one)) for one in variants]  # the same in several languages
        return [(_text(tag), _language(tag))]
    if tag.name == "table" and not _CODE_TABLES.isdisjoint(own):
        blocks = [pre for pre in tag.find_all("pre") if not _is_line_numbers(pre)]
        return [(_text(blocks[-1]), _language(tag))] if blocks else None
    known = next((name for name in own if name in _CODE_CLASSES), None) if tag.name in ("div", "table") else None
    if known is None:
        return None
    text = _text(tag)
    return [(" ".join(text.split()) if known in _ONE_LINE else text, _CODE_CLASSES[known])]


def _is_line_numbers(tag: Tag) -> bool:
    return any(not _LINE_NUMBERS.isdisjoint(classes(node)) for node in (tag, *list(tag.parents)[:3]))


def _text(tag: Tag) -> str:
    """The text as it stands, without line numbers and buttons."""
    parts: list[str] = []
    ends_line = False
    waiting: list[tuple[object, bool]] = [(node, False) for node in reversed(tag.contents)]
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            parts += ["\n"] if parts and not parts[-1].endswith("\n") else []
            ends_line = True
        elif is_text(node):
            # After an element that is a line, a line break in the source is only layout.
            parts.append(str(node).removeprefix("\n") if ends_line else str(node))
            ends_line = False
        elif isinstance(node, Tag) and node.name == "br":
            parts.append("\n")
        elif isinstance(node, Tag) and not is_dropped(node) and _LINE_NUMBERS.isdisjoint(classes(node)):
            if node.name in _LINE_TAGS:
                waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.contents))
    text = "".join(parts).replace("\u00a0", " ").replace("\u200b", "")
    return text.removeprefix("\n").rstrip()


def _language(tag: Tag) -> str:
    """From the classes and attributes of the element, what it holds and what holds it."""
    inner = [node for node in tag.contents if isinstance(node, Tag)][:1]
    for node in (tag, *inner, *list(tag.parents)[:3]):
        for name in ("data-lang", "data-language"):
            if attribute(node, name):
                return _plain_name(attribute(node, name))
        own = classes(node)
        for token in own:
            match = _LANGUAGE.fullmatch(token)
            if match:
                return _plain_name(match.group(1))
        if "brush:" in own[:-1]:
            return _plain_name(own[own.index("brush:") + 1])
        bare = next((token for token in own if token in _BARE_NAMES), "")
        if bare:
            return bare
    return ""


def _plain_name(name: str) -> str:
    name = name.lower().strip().rstrip(";").split(" ")[0]
    return _ALIASES.get(name, name if re.fullmatch(r"[\w+#.-]{1,20}", name) else "")
