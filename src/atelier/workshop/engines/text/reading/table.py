"""CSV tables: one piece a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from atelier.workshop.contract import Unreadable

from .fields import roles, tags_of
from .pieces import RawPiece

_ROWS_MAX = 20_000


def read_table(text: str, filename: str) -> list[RawPiece]:
    """One piece a row; the text is in the column called so, else in the one with the longest cells.

    Errors: Unreadable when the rows cannot be told apart.
    """
    rows = _rows(text, filename)
    if not rows:
        raise Unreadable("The table is empty.", remedy="Upload a file with one text a row.", where=filename)
    columns, first = _columns(rows)
    pieces = []
    for number, row in enumerate(rows[first:], first + 1):

        def cell(role: str, row: Sequence[str] = row) -> str:
            index = columns.get(role, -1)
            return row[index] if 0 <= index < len(row) else ""

        pieces.append(
            RawPiece(cell("text"), cell("title"), tags_of(cell("tags")), cell("description"), f"row {number}")
        )
    return pieces


def _rows(text: str, filename: str) -> list[list[str]]:
    try:
        dialect: csv.Dialect | type[csv.Dialect] = csv.Sniffer().sniff(text[:10_000], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows: list[list[str]] = []
    # The sniffer is right about the delimiter but often wrong about doubled quotes.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, doublequote=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > _ROWS_MAX:
                raise Unreadable(
                    f"The table has more than {_ROWS_MAX} rows.", remedy="Split it into smaller files.", where=filename
                )
    except csv.Error as error:
        raise Unreadable(
            f"The table cannot be read near line {reader.line_num}: {error}.",
            remedy="Check that every quotation mark is closed, and save it as CSV again.",
            where=filename,
        ) from error
    return rows


def _columns(rows: list[list[str]]) -> tuple[dict[str, int], int]:
    """Role → column, and the index of the first row that holds a piece."""
    found = roles(rows[0])
    has_header = bool(found)
    sample = rows[1:200] or rows
    width = max(len(row) for row in rows[:200])
    if "text" not in found:
        lengths = [sum(len(row[i]) for row in sample if i < len(row)) / len(sample) for i in range(width)]
        free = [i for i in range(width) if i not in found.values()] or [found.get("description", 0)]
        text_column = max(free, key=lambda i: lengths[i])
        if "description" in found and lengths[found["description"]] > 2 * lengths[text_column]:
            text_column = found.pop("description")
        found["text"] = text_column
        names = all(len(cell.split()) <= 3 for cell in rows[0]) and len(rows) > 1
        has_header = has_header or (names and lengths[text_column] > 40)
    return found, int(has_header)
