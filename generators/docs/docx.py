"""A Word file (.docx) -> its content as Markdown blocks, as a reader of the printed page sees it.

    archive ─▶ its text parts (``docx_package.py``), edited (``docx_markup.py``) ─▶ HTML (mammoth) ─▶ ``html.py``

Comments, deleted and hidden text, the table of contents and pictures are left out. The lines of a block are those of
the extracted text.
"""

import re
from dataclasses import replace

from generators.docs import html
from generators.docs.docx_markup import CODE_BLOCK, CODE_SPAN, HEADING, TITLE, MarkupEditor
from generators.docs.docx_package import local_name, pack, title_of, unpack
from generators.docs.line_numbers import number_lines
from generators.docs.parsed import Parsed
from generators.errors import MissingExtraError, UnreadableDocumentError
from generators.records import Block

_TRAILING_SPACES = re.compile(r"[ \t]+$", re.MULTILINE)
_EDITED = ("document", "footnotes", "endnotes")


def read(data: bytes, name: str) -> Parsed:
    """Read a document.

    Raises:
        UnreadableDocumentError: ``encrypted``, ``malformed``, ``oversized`` or ``empty``.
        MissingExtraError: The converter is not installed.
    """
    try:
        import mammoth
    except ImportError as error:
        raise MissingExtraError("reading Word files", "docs") from error
    parts = unpack(data, name)
    editor = MarkupEditor(next((part for part in parts.values() if local_name(part) == "styles"), None))
    for part in parts.values():
        if local_name(part) in _EDITED:
            editor.edit(part)
    try:
        converted = mammoth.convert_to_html(
            pack(parts),
            style_map=_style_map(has_title=editor.has_title),
            include_embedded_style_map=False,
            convert_image=lambda _: [],
            id_prefix="docx-",
        )
    except (OSError, RecursionError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableDocumentError("malformed", f"{name}: no readable Word file ({error})") from error
    return Parsed(title_of(parts), _blocks(converted.value, name))


def _style_map(*, has_title: bool) -> str:
    """The converter's table: our names -> HTML elements. Below a title, headings are one level deeper."""
    headings = (f"p.{HEADING}{level} => h{min(level + has_title, 6)}:fresh" for level in range(1, 7))
    lines = [f"p.{TITLE} => h1:fresh", *headings, f"p.{CODE_BLOCK} => pre:separator('\\n')", f"r.{CODE_SPAN} => code"]
    return "\n".join(lines)


def _blocks(body: str, name: str) -> tuple[Block, ...]:
    try:
        found = html.read(f"<!DOCTYPE html><meta charset=utf-8><body><main>{body}</main></body>".encode(), name).blocks
    except UnreadableDocumentError as error:
        if error.reason != "empty":
            raise
        raise UnreadableDocumentError("empty", f"{name}: no text (text within pictures cannot be read)") from error
    return number_lines(replace(block, text=_TRAILING_SPACES.sub("", block.text)) for block in found)
