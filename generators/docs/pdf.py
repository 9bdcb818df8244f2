"""PDF with a text layer: the bytes of one file -> headings, paragraphs, list items and code, as Markdown.

pypdf gives the text (``pdf_lines.py``); what it is, is told from its place and type (``pdf_headings.py``,
``pdf_blocks.py``). The lines of a block are those of the extracted text.
"""

import io
import logging
import re
import zlib
from typing import TYPE_CHECKING, Any

from generators.docs.parsed import Parsed
from generators.errors import UnreadableDocumentError

if TYPE_CHECKING:
    from pypdf import PdfReader

    from generators.docs.pdf_headings import Bookmark
    from generators.docs.pdf_lines import Line

_logger = logging.getLogger(__name__)
# What a broken or hostile PDF makes pypdf raise besides its own errors.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
# Titles that a program made up when it wrote the file.
_MADE_UP_TITLE = re.compile(
    r"(?i)untitled.*|microsoft \w+ - .*|.*\.(docx?|odt|rtf|tex|indd|pptx?|md|html?|pdf|dvi)|\W*"
)


def read(data: bytes, name: str) -> Parsed:
    """Read a document. A page that cannot be read is named in the log, and the others are read.

    Raises:
        UnreadableDocumentError: ``encrypted`` if a password is needed, ``no_text`` for scanned pages, ``malformed``.
    """
    from pypdf.errors import DependencyError, PyPdfError

    from generators.docs.pdf_blocks import build_blocks
    from generators.docs.pdf_headings import largest_on_first_page
    from generators.docs.pdf_lines import without_running_lines

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it repairs much by itself, and says so for each object
    try:
        reader = _open(data, name)
        pages = _pages(reader, name)
        title, bookmarks = _title(reader), _bookmarks(reader)
    except DependencyError as error:
        detail = f"{name}: encrypted ({error}); save a copy without protection, or pip install 'pypdf[crypto]'"
        raise UnreadableDocumentError("encrypted", detail) from error
    except (PyPdfError, *_BROKEN) as error:
        raise UnreadableDocumentError("malformed", f"{name}: no readable PDF ({error})") from error
    if not any(pages):
        detail = f"{name}: {len(pages)} pages without a text layer; run OCR over it first, for example ocrmypdf"
        raise UnreadableDocumentError("no_text", detail)
    lines = [line for page in without_running_lines(pages) for line in page]
    return Parsed(title or largest_on_first_page(lines), build_blocks(lines, bookmarks))


def _open(data: bytes, name: str) -> "PdfReader":
    """Open a file, also one that is encrypted with an empty password, as those are that only forbid printing."""
    from pypdf import PasswordType, PdfReader

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise UnreadableDocumentError("encrypted", f"{name}: needs a password; save a copy without protection")
    return reader


def _pages(reader: "PdfReader", name: str) -> "list[list[Line]]":
    from pypdf.errors import PyPdfError

    from generators.docs.pdf_lines import LineReader

    line_reader = LineReader()
    pages: list[list[Line]] = []
    broken = 0
    for index, page in enumerate(reader.pages):
        try:
            pages.append(line_reader.lines(page, index))
        except (PyPdfError, *_BROKEN) as error:
            broken += 1
            _logger.warning("%s: page %d cannot be read and is left out (%s)", name, index + 1, error)
            pages.append([])
    if broken == len(pages):
        raise UnreadableDocumentError("malformed", f"{name}: none of its {broken} pages can be read")
    return pages


def _title(reader: "PdfReader") -> str:
    """The title of the metadata, unless a program made it up."""
    title = reader.metadata.title if reader.metadata else None
    title = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", str(title or "")).split())
    return "" if _MADE_UP_TITLE.fullmatch(title) else title


def _bookmarks(reader: "PdfReader") -> "list[Bookmark]":
    """The outline, flat; none if it is broken, which costs headings but no text."""
    from pypdf.errors import PyPdfError

    from generators.docs.pdf_headings import Bookmark

    found: list[Bookmark] = []
    try:
        waiting: list[tuple[Any, int]] = [(entry, 1) for entry in reversed(reader.outline)]
        while waiting:
            entry, level = waiting.pop()
            if isinstance(entry, list):
                waiting += [(child, level + 1) for child in reversed(entry)]
            elif (page := reader.get_destination_page_number(entry)) is not None:
                found.append(Bookmark(" ".join(str(entry.title or "").split()), page, level))
    except (PyPdfError, *_BROKEN):
        return []
    return found
