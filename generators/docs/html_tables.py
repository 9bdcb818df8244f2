"""A table of a page -> a Markdown pipe table, or None for one that only lays out other content."""

from bs4 import Tag

from generators.docs.html_chrome import attribute, classes, is_dropped, is_text

MAX_SPAN = 100
MAX_COLUMNS = 200
MAX_CELLS = 200_000

_BLOCKS = frozenset(["table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"])
_GAPS = frozenset(["p", "div", "li", "tr", "dt", "dd", "ul", "ol", "dl", "section", "br"])


def pipe_table(table: Tag) -> str | None:
    """Write a table of data as Markdown.

    A cell that spans rows is repeated in each, so that every row can be read alone; of one that spans columns the
    text stands in the first. Several heading rows become one.
    """
    if _is_layout(table):
        return None
    rows = [row for row in table.find_all("tr") if row.find_parent("table") is table and not is_dropped(row)]
    cells = [_cells(row) for row in rows]
    rows, cells = [row for row, own in zip(rows, cells, strict=True) if own], [own for own in cells if own]
    if not cells:
        return None
    heads = _count_heads(rows, cells)
    grid = _grid(cells, heads)
    width = max(len(row) for row in grid)
    if width < 2 and not heads:
        return None
    grid = [row + [""] * (width - len(row)) for row in grid if any(row)]
    header = [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*grid[:heads], strict=True)]
    return _lines([header or [""] * width, ["---"] * width, *grid[heads:]])


def grid_table(tag: Tag) -> str:
    """Write a grid of ``div`` cells, the headings first, as a Markdown table; empty if it is none."""
    cells = [cell for cell in tag.find_all("div", recursive=False) if not is_dropped(cell)]
    width = next((index for index, cell in enumerate(cells) if "table-header" not in classes(cell)), len(cells))
    if not width or len(cells) % width:
        return ""
    rows = [[cell_text(cell) for cell in cells[start : start + width]] for start in range(0, len(cells), width)]
    return _lines([rows[0], ["---"] * width, *rows[1:]])


def _lines(rows: list[list[str]]) -> str:
    return "\n".join("".join(f"| {cell} " if cell else "| " for cell in row) + "|" for row in rows)


def caption(table: Tag) -> str:
    """The title of a table; empty if it has none."""
    found = table.find("caption", recursive=False)
    return cell_text(found) if isinstance(found, Tag) else ""


def _is_layout(table: Tag) -> bool:
    if attribute(table, "role") in ("presentation", "none"):
        return True
    for inner in table.descendants:
        if isinstance(inner, Tag) and (
            inner.name in _BLOCKS or (inner.name == "pre" and "\n" in inner.get_text().strip())
        ):
            return True
    return False


def _cells(row: Tag) -> list[Tag]:
    """The cells of a row; where end tags are missing, cells stand inside one another."""
    return [
        cell
        for cell in row.find_all(["td", "th"])
        if cell.find_parent("tr") is row and not is_dropped(cell) and "linenos" not in classes(cell)
    ]


def _count_heads(rows: list[Tag], cells: list[list[Tag]]) -> int:
    """How many rows at the top are headings."""
    count = 0
    for row, own in zip(rows, cells, strict=True):
        if row.find_parent("thead") is None and any(cell.name != "th" for cell in own):
            break
        count += 1
    return count


def _span(cell: Tag, name: str) -> int:
    value = attribute(cell, name).strip()
    return min(int(value), MAX_SPAN) if value.isdecimal() and value.isascii() and value != "0" else 1


def _grid(cells: list[list[Tag]], heads: int) -> list[list[str]]:
    """The texts by row and column, spans filled in."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column -> rows still to fill, text
    room = MAX_CELLS
    for index, own in enumerate(cells):
        row: list[str] = []
        for cell in own:
            _hang(row, hanging)
            text = cell_text(cell)
            height, width = (_span(cell, "rowspan"), _span(cell, "colspan")) if room > 0 else (1, 1)
            for offset in range(min(width, max(MAX_COLUMNS - len(row), 1))):
                shown = text if offset == 0 or index < heads else ""
                if height > 1:
                    hanging[len(row)] = (height - 1, shown)
                row.append(shown)
        _hang(row, hanging)
        room -= len(row)
        if room <= 0:
            hanging.clear()
        grid.append(row)
    return grid


def _hang(row: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    """Fill the columns that cells of earlier rows reach into."""
    while len(row) in hanging:
        left, text = hanging.pop(len(row))
        if left > 1:
            hanging[len(row)] = (left - 1, text)
        row.append(text)


def cell_text(cell: Tag) -> str:
    """The text of a cell on one line, code in backticks, bars escaped."""
    parts: list[str] = []
    waiting: list[tuple[object, bool]] = [(node, False) for node in reversed(cell.contents)]
    while waiting:
        node, is_left = waiting.pop()
        if is_text(node):
            parts.append(str(node))
            continue
        if not isinstance(node, Tag) or is_dropped(node):
            continue
        if not is_left and node.name in ("td", "th", "tr"):
            continue  # the next cell, of a row without end tags
        if node.name in ("code", "tt") and node.find_parent(["code", "tt", "pre"]) is None:
            parts.append("`")
        elif node.name in _GAPS:
            parts.append(" ")
        if not is_left:
            waiting.append((node, True))
            waiting.extend((child, False) for child in reversed(node.contents))
    text = " ".join("".join(parts).replace("\u200b", "").replace("\u00ad", "").split())
    return text.replace("` ", "` ").replace("``", "").replace("|", "\\|")
