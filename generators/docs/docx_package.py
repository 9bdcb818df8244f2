"""The parts of a Word file that hold its text: zip archive -> XML trees, and back to an archive of these parts alone.

A zip archive can unfold to any size, and XML entities too: nothing is unfolded beyond a limit, a document type is
refused, and pictures, embedded files, comments and macros are never touched.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser, fromstring, tostring

from generators.errors import UnreadableDocumentError

# Text and styles of some thousand pages. The converter takes fifty times as much memory.
MAX_XML = 20_000_000
_MAX_ENTRIES = 20_000
_TEXT_PARTS = re.compile(
    r"\[Content_Types\]\.xml|(.*/)?(document|styles|numbering|footnotes|endnotes)\d*\.xml|.*\.rels"
)
_PROPERTIES = "docProps/core.xml"
_OLE_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")


class _NoDocumentType(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002 (the parser's protocol)
        """Refuse: Word writes none, and the entities of one serve only harm."""
        raise ValueError("a document type definition, which no Word file has")


def unpack(data: bytes, name: str) -> dict[str, Element]:
    """The XML parts by their names.

    Raises:
        UnreadableDocumentError: ``encrypted``; ``malformed`` for what is no Word file; ``oversized`` if its text
            unfolds beyond ``MAX_XML`` bytes.
    """
    if data.startswith(_OLE_SIGNATURE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise UnreadableDocumentError("encrypted", f"{name}: needs a password; save a copy without protection")
        raise UnreadableDocumentError("malformed", f"{name}: a file of Word 2003 or older; save it as .docx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = _parse_parts(archive, name)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ParseError,
        ValueError,
    ) as error:
        raise UnreadableDocumentError("malformed", f"{name}: no readable Word file ({error})") from error
    if not any(local_name(part) == "document" for part in parts.values()):
        raise UnreadableDocumentError("malformed", f"{name}: no Word file: it holds no document")
    return parts


def pack(parts: Mapping[str, Element]) -> io.BytesIO:
    """An archive of the parts, as the converter wants it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part_name, root in parts.items():
            archive.writestr(part_name, tostring(root, encoding="utf-8", xml_declaration=True))
    packed.seek(0)
    return packed


def title_of(parts: Mapping[str, Element]) -> str:
    """The title of the document's properties, empty if there is none."""
    root = parts.get(_PROPERTIES)
    titles = [] if root is None else [part.text or "" for part in root.iter() if local_name(part) == "title"]
    return " ".join("".join(titles).split())


def _parse_parts(archive: zipfile.ZipFile, name: str) -> dict[str, Element]:
    if len(archive.infolist()) > _MAX_ENTRIES:
        raise UnreadableDocumentError("oversized", f"{name}: holds more than {_MAX_ENTRIES:,} files")
    parts: dict[str, Element] = {}
    left = MAX_XML
    for info in archive.infolist():
        if _TEXT_PARTS.fullmatch(info.filename) or info.filename == _PROPERTIES:
            with archive.open(info) as stream:
                content = stream.read(left + 1)  # the size in the archive's directory may be a lie
            left -= len(content)
            if left < 0:
                raise UnreadableDocumentError("oversized", f"{name}: its text unfolds to more than {MAX_XML:,} bytes")
            parts[info.filename] = fromstring(content, XMLParser(target=_NoDocumentType()))  # noqa: S314 (no entities)
    return parts


def local_name(element: Element) -> str:
    """An element's name without its namespace, of which the two editions of the standard have each their own."""
    return element.tag.rpartition("}")[2]
