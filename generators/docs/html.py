"""An HTML page -> its content as Markdown blocks, without navigation, scripts and hidden text.

Input: the bytes of a file. Output: ``Parsed``: headings, paragraphs, list items, notes kept whole, code with its line
breaks, tables as Markdown tables; each with its lines in the source.
"""

import codecs
import re
import warnings
from typing import TYPE_CHECKING

from generators.docs.parsed import Parsed, decode_text
from generators.errors import MissingExtraError, UnreadableDocumentError

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

MAX_DEPTH = 10_000
# A page with no more text than this that sends its reader elsewhere says nothing itself.
REDIRECT_TEXT = 300

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# What browsers do with the names of old encodings: the web writes Latin-1 and means Windows-1252.
_WEB_NAMES = {"iso8859-1": "cp1252", "ascii": "cp1252", "utf-16": "utf-8", "utf-16-le": "utf-8", "utf-16-be": "utf-8"}
_REFRESH = re.compile(r"refresh", re.IGNORECASE)


def read(data: bytes, name: str) -> Parsed:
    """Read a page.

    Raises:
        UnreadableDocumentError: ``undecodable``, ``empty`` for redirects and pages without text, ``malformed`` for
            elements nested without end.
        MissingExtraError: The parser is not installed.
    """
    try:
        import bs4
    except ImportError as error:
        raise MissingExtraError("reading HTML", "docs") from error
    text = _decode(data, name)
    try:
        with warnings.catch_warnings():  # XHTML, or a page of one word, is no reason to warn
            warnings.simplefilter("ignore")
            soup = bs4.BeautifulSoup(text, "html.parser")
        _check_depth(soup, name)
        return _parse(soup, name)
    except (RecursionError, bs4.ParserRejectedMarkup) as error:
        raise UnreadableDocumentError("malformed", f"{name}: its elements cannot be taken apart") from error


def _decode(data: bytes, name: str) -> str:
    """By byte order mark, else by what the page declares, else as UTF-8."""
    from bs4.dammit import EncodingDetector

    if not data.startswith(_MARKS):
        declared = EncodingDetector.find_declared_encoding(data[:4096], is_html=True)
        encoding = _known_encoding(declared) if declared else ""
        if encoding and encoding != "utf-8" and b"\0" not in data:
            try:
                return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
            except UnicodeDecodeError:
                pass  # the declaration is wrong: UTF-8, or nothing
    return decode_text(data, name)


def _known_encoding(declared: str) -> str:
    try:
        name = codecs.lookup(declared).name
    except LookupError:
        return ""
    return _WEB_NAMES.get(name, name)


def _check_depth(soup: "BeautifulSoup", name: str) -> None:
    from bs4 import Tag

    waiting: list[tuple[Tag, int]] = [(soup, 0)]
    while waiting:
        tag, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise UnreadableDocumentError("malformed", f"{name}: elements nested more than {MAX_DEPTH:,} levels deep")
        waiting.extend((child, depth + 1) for child in tag.contents if isinstance(child, Tag))


def _parse(soup: "BeautifulSoup", name: str) -> Parsed:
    from generators.docs.html_chrome import content_roots
    from generators.docs.html_walker import Walker

    roots = content_roots(soup)
    walker = Walker(roots)
    for root in roots:
        walker.walk(root)
    blocks = walker.blocks()
    size = sum(len(block.text) for block in blocks if block.kind != "heading")
    target = _redirect_target(soup)
    if target is not None and size < REDIRECT_TEXT:
        raise UnreadableDocumentError("empty", f"{name}: only sends its reader on to {target}")
    if not size:
        raise UnreadableDocumentError("empty", f"{name}: no text (a page that a script draws has none in its file)")
    return Parsed(_title(soup), blocks)


def _redirect_target(soup: "BeautifulSoup") -> str | None:
    from generators.docs.html_chrome import attribute

    for tag in soup.find_all("meta", attrs={"http-equiv": _REFRESH}):
        _, _, target = attribute(tag, "content").partition("=")
        if target:
            return target.strip(" '\"")
    return None


def _title(soup: "BeautifulSoup") -> str:
    from generators.docs.html_chrome import attribute

    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    shared = soup.find("meta", attrs={"property": "og:title"})
    return title or (" ".join(attribute(shared, "content").split()) if shared is not None else "")
