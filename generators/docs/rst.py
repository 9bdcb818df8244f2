"""reStructuredText with Sphinx's directives and roles: the bytes of one file -> blocks of compact Markdown.

docutils parses (``rst_sphinx.py``), the tree is cut into blocks (``rst_blocks.py``) and each is written as Markdown
(``rst_markdown.py``). The lines of a block are those of the source. Nothing is read but the bytes given.
"""

import re

from generators.docs.parsed import Parsed, decode_text
from generators.errors import UnreadableDocumentError

# docutils counts these as line ends; editors, and so the line numbers that we give, do not.
_ODD_LINE_ENDS = re.compile("[\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def read(data: bytes, name: str) -> Parsed:
    """Read a document; what docutils cannot make sense of is kept as it stands.

    Raises:
        UnreadableDocumentError: ``undecodable`` or ``binary`` data, ``malformed`` for endless nesting.
    """
    from generators.docs.rst_blocks import BlockWalker
    from generators.docs.rst_sphinx import parse

    text = _ODD_LINE_ENDS.sub(" ", decode_text(data, name))
    try:
        walker = BlockWalker(parse(text), text.split("\n"))
        return Parsed(walker.title, walker.blocks())
    except RecursionError as error:
        raise UnreadableDocumentError("malformed", f"{name}: nested too deeply to be read") from error
