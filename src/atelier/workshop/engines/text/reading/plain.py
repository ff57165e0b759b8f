"""Plain text and Markdown: one piece, or many between rulers or under headings."""

from __future__ import annotations

import re

from .pieces import RawPiece

_RULER = re.compile(r"^\s*(?:-{3,}|\*{3,}|={3,}|_{3,}|(?:\*\s+){2,}\*|(?:-\s+){2,}-)\s*$")
_HEADING = re.compile(r"^(#{1,2})\s+(\S.*?)\s*#*\s*$")
_ANY_HEADING = re.compile(r"^#{1,6}\s+", re.M)
_FRONT_LINE = re.compile(r"^([A-Za-z_-]{1,30})\s*:\s*(.*)$")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?:[^)\s\n]+)(?:\s+\"[^\"\n]*\")?\)")
_BOLD = re.compile(r"(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1")
_TITLE_WORDS = 12


def read_plain(text: str, *, markdown: bool = False) -> list[RawPiece]:
    """The pieces of a text: between ruler lines (---, ***, ===) when there are any, else under several `# ` headings,
    else the whole. `markdown` also takes the marks of Markdown out of the words."""
    text = re.sub(r"\r\n?", "\n", text)
    front, lines = _front_matter(_underlined_headings(text.split("\n")))
    parts = _between_rulers(lines)
    if len(parts) == 1:
        parts = _under_headings(lines)
    several = len(parts) > 1
    pieces = []
    for number, part in enumerate(parts, 1):
        title, body = split_title(part)
        where = f"piece {number}" if several else ""
        pieces.append(RawPiece(text=_unmarked(body) if markdown else body, title=_unmarked(title), where=where))
    if front and not several:
        whole = pieces[0]
        tags = tuple(t.strip(" \"'[]") for t in front.get("tags", "").split(",") if t.strip(" \"'[]"))
        title = front.get("title", "").strip("\"'") or whole.title
        return [RawPiece(whole.text, title, tags, front.get("description", "").strip("\"'"), whole.where)]
    return pieces


def _front_matter(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    """The `key: value` lines between two `---` at the very top, and the lines after them."""
    if not lines or lines[0].strip() != "---":
        return {}, lines
    found: dict[str, str] = {}
    for index, line in enumerate(lines[1:40], 1):
        if line.strip() == "---":
            return (found, lines[index + 1 :]) if found else ({}, lines)
        match = _FRONT_LINE.match(line)
        if match is None:
            return {}, lines
        found[match.group(1).lower()] = match.group(2).strip()
    return {}, lines


def _underlined_headings(lines: list[str]) -> list[str]:
    """Turn a short line underlined at about its own length into a `# ` heading, so that it is no ruler."""
    result: list[str] = []
    for line in lines:
        above = result[-1].strip() if result else ""
        alone = len(result) < 2 or not result[-2].strip()
        bar = line.strip()
        if (
            re.fullmatch(r"={4,}|-{4,}", bar)
            and above
            and alone
            and abs(len(bar) - len(above)) <= 3
            and not above.startswith("#")
        ):
            result[-1] = f"{'#' if bar[0] == '=' else '##'} {above}"
        else:
            result.append(line)
    return result


def _between_rulers(lines: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if _RULER.match(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return [part for part in parts if any(line.strip() for line in part)] or [lines]


def _under_headings(lines: list[str]) -> list[list[str]]:
    levels = [len(match.group(1)) for line in lines if (match := _HEADING.match(line))]
    if levels.count(1) >= 2:
        mark = 1
    elif levels.count(2) >= 2 and (levels.count(1) == 0 or (levels[0] == 1 and levels.count(2) >= 3)):
        mark = 2  # one title over many pieces
    else:
        return [lines]
    parts: list[list[str]] = [[]]
    for line in lines:
        match = _HEADING.match(line)
        if match and len(match.group(1)) == mark:
            parts.append([])
        parts[-1].append(line)
    before = " ".join(line for line in parts[0] if not _HEADING.match(line)).split()
    if len(before) < 20:  # a line or two of introduction is no piece
        parts = parts[1:]
    return parts


def split_title(lines: list[str]) -> tuple[str, str]:
    """The title a piece begins with ("" if none) and the rest: a heading, or a short line with space below it."""
    start = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    rest = lines[start + 1 :]
    if start == len(lines):
        return "", ""
    first = lines[start].strip()
    body = "\n".join(rest)
    if heading := re.match(r"^#{1,6}\s+(.*?)\s*#*$", first):
        return heading.group(1), body
    gap = len(rest) > 1 and not rest[0].strip()
    if gap and len(first.split()) <= _TITLE_WORDS and first[-1] not in ".,;:!?…»”\"'" and len(body.split()) >= 5:
        return first, body
    return "", "\n".join(lines[start:])


def _unmarked(text: str) -> str:
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    return _ANY_HEADING.sub("", _BOLD.sub(r"\2", text))
