"""How a value looks, as text and as HTML, with the same facts in both.

Names, descriptions and details are other people's input. HTML is escaped here, in one place, and characters that draw
nothing or steer a terminal are shown as their escapes, except the joiners that emoji are made of. No colours: a
notebook has a theme of its own.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

__all__ = [
    "cell",
    "escape",
    "field_list",
    "html_code",
    "html_fields",
    "html_lines",
    "html_table",
    "in_words",
    "moment",
    "path_from_here",
    "printable",
    "text_table",
    "twin_rules",
]

_JOINERS = "\u200c\u200d"
_WIDEST = 80
_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def printable(text: str) -> str:
    """The text on one line, with every character that is not for showing as its escape (a new line as ``\\n``)."""
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable() or letter in _JOINERS
        else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in text
    )


def moment(at: datetime, zone_name: str = "") -> str:
    """``2026-11-23 06:30:00-08:00``, followed by the zone's name when there is one to add."""
    return f"{at.isoformat(sep=' ', timespec='seconds')} {zone_name}".rstrip()


def in_words(span: timedelta) -> str:
    """A length of time that follows "every": ``5 minutes``, ``hour``, ``0.5 seconds``."""
    seconds = span.total_seconds()
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds and seconds % size == 0), (1, "second"))
    return unit if seconds == size else f"{seconds / size:g} {unit}s"


def cell(value: object) -> str:
    """One value of a table as text; ``None`` is empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = printable(str(value))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def escape(text: str) -> str:
    """Text for HTML, in attributes too."""
    return html.escape(printable(text))


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


# JupyterLab breaks every cell where it can: a row of twelve columns became a strip of one-word lines.
_LEFT = 'style="text-align:left"'
_LABEL = 'style="text-align:left;white-space:nowrap"'
_LONG = 'style="text-align:left;min-width:20em"'
_VALUE = 'style="text-align:left;overflow-wrap:anywhere"'  # an address has no blank to break at
_SHORT = 40  # characters; an id and an instant in its zone have fewer


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A real table with a caption and header cells, for eyes and screen readers."""
    head = "".join(f'<th scope="col" {_LEFT}>{escape(name)}</th>' for name in columns)
    body = "".join("<tr>" + "".join(map(_td, row)) + "</tr>" for row in rows)
    title = f"<caption {_LEFT}>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _td(text: str) -> str:
    return f"<td {_LABEL if len(text) <= _SHORT else _LONG}>{escape(text)}</td>"


def html_lines(lines: Iterable[str]) -> str:
    """Each line as a paragraph."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def html_code(code: str) -> str:
    """Lines to copy."""
    return f"<pre>{chr(10).join(escape(line) for line in code.splitlines())}</pre>"


def path_from_here(path: Path) -> str:
    """A path as seen from the current folder where it lies in it: a saved notebook need not tell where it was run."""
    try:
        here = Path.cwd()
    except FileNotFoundError:  # somebody has deleted it
        return path.as_posix()
    if path == here:
        return "this folder"
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def field_list(fields: Sequence[tuple[str, str]]) -> str:
    """``name  value`` lines, the values aligned."""
    shown = [(printable(name), printable(value)) for name, value in fields]
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in shown)


def html_fields(fields: Sequence[tuple[str, str]]) -> str:
    """The same as a table of two columns with the names as row headers."""
    rows = "".join(
        f'<tr><th scope="row" {_LABEL}>{escape(name)}</th><td {_VALUE}>{escape(value)}</td></tr>'
        for name, value in fields
    )
    return f"<table><tbody>{rows}</tbody></table>"


def twin_rules(static: str, live: str) -> str:
    """Rules of style for two outputs in a row, of which one shows: the classes of the first and of what is in the next.

    The first rule hides what is static before what is live, the second what stands after it and is not live: an error
    of the front end for want of a kernel, a model or the network.
    """
    twin, child = f".jp-OutputArea-child:has(.{static})", ".jp-OutputArea-child"
    return f"<style>{twin}:has(+ {child} .{live}),{twin} + {child}:not(:has(.{live})){{display:none}}</style>"
