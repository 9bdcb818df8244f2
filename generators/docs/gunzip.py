"""gzip -> the bytes inside, up to a limit."""

import gzip
import io
import zlib

from generators.errors import UnreadableDocumentError


def gunzip(data: bytes, limit: int, name: str) -> bytes:
    """Decompress; a small file can unfold to any size, so nothing is unfolded beyond ``limit`` bytes.

    Raises:
        UnreadableDocumentError: ``oversized`` or ``malformed``.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableDocumentError("malformed", f"{name}: not a whole gzip file ({error})") from error
    if len(content) > limit:
        raise UnreadableDocumentError("oversized", f"{name}: unfolds to more than {limit:,} bytes")
    return content
