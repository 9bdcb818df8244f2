"""What is kept whole while a page is walked, and the outline of headings that its blocks hang from."""

from dataclasses import dataclass, field, replace

from bs4 import Tag

from generators.docs.html_chrome import attribute, classes
from generators.docs.html_inline import InlineText
from generators.docs.html_names import ADMONITION_KINDS
from generators.docs.marks import indented
from generators.records import Block, BlockKind

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# Deeper ones are laid flat: nobody reads them, and their margins would grow without end.
MAX_FRAMES = 20
_SHORT_TITLE = 60


@dataclass(slots=True)
class Frame:
    """A list item, term, quotation or note that is still open, or the page itself.

    Attributes:
        kind: ``page``, ``item``, ``term``, ``quote`` or ``admonition``.
        tag: The element; None for the page.
        depth: How many lists were open when it began.
        marker: What a list item begins with.
        prefix: Words before its text: the term that it defines.
        pieces: What it holds so far.
    """

    kind: str
    tag: Tag | None
    depth: int = 0
    marker: str = ""
    prefix: str = ""
    pieces: list[Block] = field(default_factory=list)


def composed(frame: Frame) -> Block | None:
    """The one block that a closed frame makes; None if it is empty."""
    if not frame.pieces and not frame.prefix:
        return None
    pieces = frame.pieces or [Block("prose", "", 1, 1)]
    lines = (min(piece.first_line for piece in pieces), max(piece.last_line for piece in pieces))
    kind: BlockKind = "prose"
    text = _joined(pieces)
    if frame.kind == "item":
        gap = "\n" if frame.prefix and pieces[0].kind != "prose" else ""
        text = f"{frame.prefix.rstrip()}{gap}{text}" if gap else f"{frame.prefix}{text}".rstrip(": ")
        kind, text = "list_item", frame.marker + indented(text, " " * len(frame.marker))
    elif frame.kind == "quote":
        text = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    elif frame.kind == "admonition":
        kind, text = "admonition", _titled(frame, pieces)
    elif frame.kind == "term":
        text = " ".join(text.split())
        text = text if "`" in text or "**" in text else f"**{text.rstrip(':')}**"
    return Block(kind, text, *lines)


def _joined(pieces: list[Block]) -> str:
    """Blank lines between the pieces, none between or before the items of a list."""
    parts = [pieces[0].text]
    for piece in pieces[1:]:
        parts += ["\n" if piece.kind == "list_item" else "\n\n", piece.text]
    return "".join(parts)


def _titled(frame: Frame, pieces: list[Block]) -> str:
    """A note behind its title, or behind its kind where it has none."""
    first, *rest = pieces
    title = first.text.strip("*: ")
    if not rest or first.kind != "prose" or "\n" in title or len(title) > _SHORT_TITLE or title.endswith("."):
        own = classes(frame.tag) if frame.tag is not None else []
        title = next((name for name in own if name in ADMONITION_KINDS), "").capitalize()
        rest = pieces
    if not title or _joined(rest).lower().startswith((title.lower(), f"**{title.lower()}")):
        return _joined(rest)
    gap = " " if rest[0].kind == "prose" else "\n\n"
    return f"**{title}:**{gap}{_joined(rest)}"


class Outline:
    """The headings above the place that is being read."""

    def __init__(self) -> None:
        self._path: list[Block] = []
        self._reopened: Block | None = None

    @property
    def level(self) -> int:
        """Level of the innermost heading; 0 before the first."""
        return self._path[-1].level if self._path else 0

    def leave(self, level: int) -> None:
        """A documented name ends: what follows belongs to the section around it, which is opened again."""
        while self._path and self._path[-1].level >= level:
            self._path.pop()
        self._reopened = self._path[-1] if self._path else None

    def place(self, block: Block) -> list[Block]:
        """The block, behind a repeated heading if it continues a section that was interrupted."""
        reopened, self._reopened = self._reopened, None
        if block.kind == "heading":
            while self._path and self._path[-1].level >= block.level:
                self._path.pop()
            self._path.append(block)
            return [block]
        if reopened is None:
            return [block]
        return [replace(reopened, first_line=block.first_line, last_line=block.first_line), block]


class PageBlocks:
    """The blocks of a page as they come, with what is still open.

    Attributes:
        inline: The running text that no block holds yet.
        heading: The heading that is open; its text is running text too.
        frames: The page, then what is kept whole and still open.
        outline: The headings above this place.
    """

    def __init__(self) -> None:
        self.inline = InlineText()
        self.heading: Tag | None = None
        self.frames = [Frame("page", None)]
        self.outline = Outline()

    @property
    def is_at_top(self) -> bool:
        """Whether nothing that is kept whole is open: only there do headings open sections."""
        return len(self.frames) == 1

    def blocks(self) -> tuple[Block, ...]:
        """All blocks, what is still open included."""
        self.finish_heading()
        self.flush()
        while not self.is_at_top:
            self.close_frame()
        return tuple(self.frames[0].pieces)

    def open_frame(self, kind: str, tag: Tag, depth: int = 0, marker: str = "", prefix: str = "") -> bool:
        """Begin something that is kept whole; True, as what is inside is read all the same."""
        self.finish_heading()
        self.flush()
        if len(self.frames) < MAX_FRAMES:
            self.frames.append(Frame(kind, tag, depth, marker, prefix))
        return True

    def close_frame(self) -> str:
        """End it; returns the text of a term, which waits for its definition, else an empty text."""
        frame = self.frames.pop()
        if frame.kind == "quote" and all(piece.kind in ("code", "table") for piece in frame.pieces):
            for piece in frame.pieces:  # a quotation only for its margin
                self.emit(piece)
            return ""
        block = composed(frame)
        if block is not None and frame.kind == "term":
            return block.text
        if block is not None:
            self.emit(block)
        return ""

    def finish_heading(self) -> None:
        """End an open heading; inside what is kept whole it is bold text."""
        if self.heading is None:
            return
        tag, self.heading = self.heading, None
        text, first, last = self.inline.take()
        text = " ".join(text.split())
        if text and self.is_at_top:
            self.emit(Block("heading", text, first, last, level=_level(tag)))
        elif text:
            self.emit(Block("prose", f"**{text}**", first, last))

    def flush(self) -> None:
        """End the paragraph; a heading goes on over blocks inside it."""
        if self.heading is not None:
            self.inline.add(" ")
            return
        text, first, last = self.inline.take()
        if text:
            self.emit(Block("prose", text, first, last))

    def emit(self, block: Block) -> None:
        """Take a block."""
        if self.is_at_top:
            self.frames[0].pieces += self.outline.place(block)
        else:
            self.frames[-1].pieces.append(block)


def _level(tag: Tag) -> int:
    stated = attribute(tag, "aria-level")
    if tag.name in HEADINGS:
        return int(tag.name[1])
    return min(int(stated), 6) if stated in tuple("123456789") else 2
