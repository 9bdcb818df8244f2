"""What a reader of a Word document sees: hidden text goes out, and code and headings get names, whatever their style.

Word marks headings by an outline level, code only by its look, and hides text by its style. The converter knows styles
by their names alone, so here every heading, piece of code and table head is given a name that it knows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from generators.docs.docx_package import local_name

CODE_BLOCK = "FactoryCodeBlock"
CODE_SPAN = "FactoryCodeSpan"
TITLE = "FactoryTitle"
HEADING = "FactoryHeading"  # and its level, 1 to 6

_FIXED_WIDTH = re.compile(
    r"mono(?!type)|courier|consolas|menlo|monaco|inconsolata|source code|fira code|cascadia|lucida console|typewriter",
    re.IGNORECASE,
)
_CODE_STYLE = re.compile(
    r"((source|program|inline|html) ?)?(code|listing)\b.*|verbatim.*|(html )?(preformatted|sample|typewriter).*|macro.*"
    r"|console.*|terminal.*",
    re.IGNORECASE,
)
_HEADING_STYLE = re.compile(r"heading ?([1-9])", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"(toc|contents|index)( heading| ?[1-9])|table of (figures|authorities)", re.IGNORECASE)
_OFF = frozenset({"0", "false", "off"})
_FIRST_ROW = 0x20  # the bit of a table's look that says its first row is a head
_BODY_LEVEL = 9


@dataclass(frozen=True, slots=True)
class _Style:
    """What a style says of its text; what it does not say, it has of the style that it is based on."""

    name: str = ""
    hidden: bool = False
    fixed_width: bool = False
    heading: int = 0


class MarkupEditor:
    """Edits the text parts of one document in place.

    Attributes:
        has_title: Whether a paragraph in the style ``Title`` was met.
    """

    def __init__(self, styles: Element | None) -> None:
        self.has_title = False
        self._styles: Mapping[str, _Style] = {} if styles is None else _read_styles(styles)

    def edit(self, root: Element) -> None:
        """Take out what is hidden and the table of contents, and name the rest."""
        waiting = [(root, False)]
        while waiting:
            element, in_cell = waiting.pop()
            in_cell = in_cell or local_name(element) == "tc"
            for child in list(element):
                if self._is_unseen(child):
                    element.remove(child)
                else:
                    self._name(child, in_cell)
                    waiting.append((child, in_cell))

    def _is_unseen(self, element: Element) -> bool:
        match local_name(element):
            case "r":
                properties = _child(element, "rPr")
                own = _switch(properties, "vanish")
                return self._style(properties, "rStyle").hidden if own is None else own
            case "p":
                style = self._style(_child(element, "pPr"), "pStyle")
                return style.hidden or bool(_CONTENTS_STYLE.fullmatch(style.name))
        return False

    def _name(self, element: Element, in_cell: bool) -> None:
        match local_name(element):
            case "p":
                self._name_paragraph(element, in_cell)
            case "tbl":
                _mark_head(element)

    def _name_paragraph(self, paragraph: Element, in_cell: bool) -> None:
        properties = _child(paragraph, "pPr")
        style = self._style(properties, "pStyle")
        level = _level(properties)
        level = style.heading if level is None else level
        if style.name.casefold() == "title":
            self.has_title = True
            _set_style(paragraph, "pPr", "pStyle", TITLE)
        elif level:
            _set_style(paragraph, "pPr", "pStyle", f"{HEADING}{min(level, 6)}")
        elif in_cell or _child(properties, "numPr") is not None or not self._is_code(paragraph, style):
            self._name_code_spans(paragraph, style)
        else:
            _set_style(paragraph, "pPr", "pStyle", CODE_BLOCK)
            if not any(local_name(part) == "t" for part in paragraph.iter()):
                _add_blank(paragraph)  # or the converter would drop the empty line

    def _is_code(self, paragraph: Element, style: _Style) -> bool:
        if style.fixed_width:
            return True
        runs = [run for run in paragraph.iter() if local_name(run) == "r" and _text(run).strip()]
        if not runs:
            return _is_fixed_width(_child(_child(paragraph, "pPr"), "rPr"))
        return all(self._is_code_run(run) for run in runs)

    def _is_code_run(self, run: Element) -> bool:
        properties = _child(run, "rPr")
        return _is_fixed_width(properties) or self._style(properties, "rStyle").fixed_width

    def _name_code_spans(self, paragraph: Element, style: _Style) -> None:
        for run in paragraph.iter():
            if local_name(run) == "r" and _text(run).strip() and (style.fixed_width or self._is_code_run(run)):
                _set_style(run, "rPr", "rStyle", CODE_SPAN)

    def _style(self, properties: Element | None, kind: str) -> _Style:
        return self._styles.get(_value(_child(properties, kind)), _Style())


def _read_styles(root: Element) -> dict[str, _Style]:
    found = {_attribute(style, "styleId"): style for style in root if local_name(style) == "style"}
    return {key: _read_style(list(_ancestry(key, found))) for key in found}


def _ancestry(key: str, found: Mapping[str, Element]) -> Iterator[Element]:
    """A style, the style that it is based on, and so on; hostile files have them in a circle."""
    seen: set[str] = set()
    while key in found and key not in seen:
        seen.add(key)
        yield found[key]
        key = _value(_child(found[key], "basedOn"))


def _read_style(ancestry: list[Element]) -> _Style:
    name = _value(_child(ancestry[0], "name"))
    fonts = (_font(_child(style, "rPr")) for style in ancestry)
    hidden = (_switch(_child(style, "rPr"), "vanish") for style in ancestry)
    levels = (_style_level(style) for style in ancestry)
    return _Style(
        name=name,
        hidden=next((value for value in hidden if value is not None), False),
        fixed_width=bool(_CODE_STYLE.fullmatch(name) or _FIXED_WIDTH.search(next(filter(None, fonts), ""))),
        heading=next((level for level in levels if level is not None), 0),
    )


def _style_level(style: Element) -> int | None:
    named = _HEADING_STYLE.fullmatch(_value(_child(style, "name")))
    level = _level(_child(style, "pPr"))
    return int(named[1]) if level is None and named else level


def _level(properties: Element | None) -> int | None:
    """The outline level, 1 to 9; 0 for text; None if nothing is said of it."""
    value = _value(_child(properties, "outlineLvl"))
    if not value.isdecimal():
        return None
    return 0 if int(value) >= _BODY_LEVEL else int(value) + 1


def _is_fixed_width(properties: Element | None) -> bool:
    return bool(_FIXED_WIDTH.search(_font(properties)))


def _font(properties: Element | None) -> str:
    fonts = _child(properties, "rFonts")
    return "" if fonts is None else _attribute(fonts, "ascii") or _attribute(fonts, "hAnsi")


def _switch(properties: Element | None, name: str) -> bool | None:
    """A property that is on if it stands there, unless its value says no; None if it does not stand there."""
    found = _child(properties, name)
    return None if found is None else _value(found).lower() not in _OFF


def _mark_head(table: Element) -> None:
    """Name a table's first row its head, where the table looks so and no row is named."""
    rows = [row for row in table if local_name(row) == "tr"]
    look = _child(_child(table, "tblPr"), "tblLook")
    if look is None or len(rows) < 2 or any(_child(_child(row, "trPr"), "tblHeader") is not None for row in rows):
        return
    bits = _value(look)
    is_marked = _attribute(look, "firstRow") not in ("", *_OFF)
    if is_marked or (re.fullmatch("[0-9A-Fa-f]{1,8}", bits) and int(bits, 16) & _FIRST_ROW):
        properties = _child(rows[0], "trPr")
        if properties is None:
            properties = _sibling(rows[0], "trPr")
            rows[0].insert(0, properties)
        properties.append(_sibling(rows[0], "tblHeader"))


def _set_style(element: Element, properties_name: str, kind: str, style: str) -> None:
    properties = _child(element, properties_name)
    if properties is None:
        properties = _sibling(element, properties_name)
        element.insert(0, properties)
    named = _child(properties, kind)
    if named is None:
        named = _sibling(element, kind)
        properties.insert(0, named)
    named.attrib = {_namespace(element) + "val": style}


def _add_blank(paragraph: Element) -> None:
    run, text = _sibling(paragraph, "r"), _sibling(paragraph, "t")
    text.text = " "
    run.append(text)
    paragraph.append(run)


def _text(run: Element) -> str:
    return "".join(part.text or "" for part in run if local_name(part) == "t")


def _child(element: Element | None, name: str) -> Element | None:
    children: Iterable[Element] = () if element is None else element
    return next((child for child in children if local_name(child) == name), None)


def _value(element: Element | None) -> str:
    return "" if element is None else _attribute(element, "val")


def _attribute(element: Element, name: str) -> str:
    return element.get(_namespace(element) + name, "")


def _namespace(element: Element) -> str:
    """The namespace as the tree writes it: the two editions of the standard have each its own."""
    return element.tag[: element.tag.rfind("}") + 1]


def _sibling(element: Element, name: str) -> Element:
    return Element(_namespace(element) + name)
