"""What every reader hands back, and the one way from a file's bytes to its text.

A reader is a module with ``read(data: bytes, name: str) -> Parsed``; it raises ``UnreadableDocumentError`` for data
that it cannot read. It knows nothing of folders, limits and worker processes: see ``folder.py`` and ``guard.py``.
"""

import codecs
from dataclasses import dataclass

from generators.errors import UnreadableDocumentError
from generators.records import Block

# Longest mark first: the UTF-32-LE mark begins with the UTF-16-LE one.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of one document.

    Attributes:
        title: From front matter or metadata; empty if it has none.
        blocks: The content in reading order.
    """

    title: str
    blocks: tuple[Block, ...]


def decode_text(data: bytes, name: str) -> str:
    """Decode UTF-8 (with or without mark) or UTF-16/32 (with mark); line ends become LF.

    Raises:
        UnreadableDocumentError: ``undecodable`` with the byte offset, ``binary`` for NUL characters.
    """
    encoding = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        reason = "binary" if encoding == "utf-8" and b"\0" in data else "undecodable"
        detail = f"{name}: not {encoding.removesuffix('-sig').upper()} at byte {error.start} ({error.reason})"
        raise UnreadableDocumentError(reason, f"{detail}; save it as UTF-8") from error
    if "\0" in text:
        raise UnreadableDocumentError("binary", f"{name}: holds NUL characters, so it is no text file")
    return text.replace("\r\n", "\n").replace("\r", "\n")
