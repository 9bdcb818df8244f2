"""Readers: one module per document format, found by the table of suffixes below.

    bytes of one file ─▶ reader module's ``read(data, name)`` ─▶ ``Parsed`` (title, blocks)

To add a format: write its module with ``read``, add its suffixes to the table, add a test. (A name with a dot in the
table is a module of another package.) ``folder.py`` walks the docs folder and calls the readers; ``guard.py`` keeps
hostile files from harming the run.
"""

import importlib
import re
from collections.abc import Callable
from itertools import islice
from pathlib import PurePosixPath

from generators.docs.parsed import Parsed
from generators.errors import MissingExtraError, UnreadableDocumentError

READERS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".mkd": "markdown",
    ".rst": "rst",
    ".rest": "rst",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".txt": "text",
    ".text": "text",
    ".ipynb": "notebook",
    ".yaml": "openapi",
    ".yml": "openapi",
    ".json": "openapi",
    ".pdf": "pdf",
    ".docx": "docx",
}


_RST_MARKUP = re.compile(
    rb"^\.\. [a-z][a-z:-]{2,40}::(?: |\r?$)|(?<![\w:`]):[a-z][a-z:-]{1,20}:`[^`\n]+`", re.MULTILINE
)


def find_format(name: str) -> str | None:
    """Name the format (the reader's module) of a file by its suffix, the one below ``.gz`` for a compressed file."""
    path = PurePosixPath(name.lower().removesuffix(".gz"))
    found = READERS.get(path.suffix)
    if found == "text":  # Sphinx publishes its sources as page.rst.txt
        return READERS.get(PurePosixPath(path.stem).suffix, found)
    return found


def refine_format(format_name: str, data: bytes) -> str:
    """Tell reStructuredText by its directives and roles where it is kept in ``.txt`` files, as Django's manual is."""
    if format_name == "text" and len(list(islice(_RST_MARKUP.finditer(data, 0, 100_000), 2))) == 2:
        return "rst"
    return format_name


def read_as(format_name: str, data: bytes, name: str) -> Parsed:
    """Read a document's bytes (already decompressed) with the reader of that format.

    Raises:
        UnreadableDocumentError: The reader's own reasons; ``missing_extra`` where its library is not installed;
            ``malformed`` for whatever else a parser stumbles over.
    """
    try:
        return _load_reader(format_name)(data, name)
    except (ImportError, MissingExtraError) as error:
        told = error if isinstance(error, MissingExtraError) else MissingExtraError(f"reading {name}", "docs")
        raise UnreadableDocumentError("missing_extra", str(told)) from error
    except RecursionError as error:
        raise UnreadableDocumentError("malformed", f"{name}: nested too deeply to be read") from error
    except (UnreadableDocumentError, MemoryError):
        raise
    except Exception as error:  # A parser may raise anything over a broken file; the run names the file and goes on.
        what = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise UnreadableDocumentError("malformed", f"{name}: the {format_name} parser gave up ({what})") from error


def _load_reader(format_name: str) -> Callable[[bytes, str], Parsed]:
    """Import the reader when it is first needed: parsers are heavy, and some are optional."""
    module = format_name if "." in format_name else f"{__name__}.{format_name}"
    read: Callable[[bytes, str], Parsed] = importlib.import_module(module).read
    return read
