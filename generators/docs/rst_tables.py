"""The rows of a docutils table, laid out in columns."""

from docutils import nodes


def rows_of(table: nodes.table, part: type[nodes.Element]) -> list[nodes.Element]:
    """The rows of a table's head or body."""
    return [
        row
        for group in table.children
        if isinstance(group, nodes.tgroup)
        for section in group.children
        if isinstance(section, part)
        for row in section.children
        if isinstance(row, nodes.row)
    ]


def spread(rows: list[list[tuple[str, int, int]]]) -> list[list[str]]:
    """Rows of cells (text, further rows, further columns) -> rows of texts, a column each.

    A cell that spans rows is repeated in each; one that spans columns is followed by empty ones.
    """
    grid: list[list[str]] = []
    above: dict[int, tuple[str, int]] = {}
    for cells in rows:
        line: list[str] = []
        waiting = iter(cells)
        while True:
            column = len(line)
            if column in above:
                text, left = above.pop(column)
                line.append(text)
                if left > 1:
                    above[column] = (text, left - 1)
                continue
            cell = next(waiting, None)
            if cell is None:
                break
            text, down, across = cell
            line += [text, *[""] * across]
            if down:
                above.update({column + offset: (text if not offset else "", down) for offset in range(across + 1)})
        grid.append(line)
    return grid
