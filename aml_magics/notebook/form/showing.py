"""What the form shows besides its inputs: the preview and the strip as HTML, the cell to copy as a small widget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import ipywidgets as w
import traitlets as t

from aml_magics.notebook.form.judge import Verdict
from aml_magics.notebook.present import escape, html_table
from aml_magics.notebook.widgets.twins import twins

__all__ = ["STATIC", "cell_view", "preview_html", "strip_html"]

_ESM = Path(__file__).with_name("cell.js")
_CSS = """\
.aml-cell{position:relative;width:100%}
.aml-cell pre{margin:0;padding:8px;overflow-x:auto;font:13px var(--jp-code-font-family,monospace);
background:var(--jp-layout-color2,#8881);color:var(--jp-ui-font-color1,inherit);border-radius:3px}
.aml-cell button{border:1px solid var(--jp-border-color1,#8888);position:absolute;top:4px;right:4px;
height:24px;line-height:22px;width:auto}
.aml-form .widget-text input::placeholder{opacity:.6}
.aml-form :focus-visible{outline:2px solid var(--jp-brand-color1,#2f8fdd);outline-offset:1px}
.aml-form .widget-label{text-align:left}
"""
STATIC = (
    twins("aml-form-static", "aml-form")
    + '<p class="aml-form-static">A form that makes a schedule. Run this cell to open it.</p>'
)
_ERROR = "color:var(--jp-error-color1,#dc4c4c);overflow-wrap:anywhere"
_PLAIN = "overflow-wrap:anywhere"


def preview_html(verdict: Verdict, fires: Sequence[Sequence[str]]) -> str:
    """The trigger in words, the next fires in the display zone and in the schedule's own, and what to know."""
    parts = []
    if verdict.problem:
        parts.append(f'<p style="{_ERROR}">✗ {escape(verdict.problem)}</p>')
    if verdict.trigger:
        parts.append(f"<p><strong>Fires: {escape(verdict.trigger)}</strong></p>")
    if fires:
        parts.append(html_table(["Next fires", f"In {verdict.zone}"], fires))
        parts += [f"<p>{escape(f'{fire.at:%H:%M:%S} {fire.note}')}</p>" for fire in verdict.fires if fire.note]
    elif verdict.trigger and not verdict.problem and not verdict.zone:
        parts.append("<p>When: nobody knows when a file comes.</p>")
    parts += [f'<p style="{_PLAIN}">⚠ {escape(warning)}</p>' for warning in verdict.warnings]
    if verdict.needs:
        parts.append(f"<p>{escape(verdict.needs)}</p>")
    return f'<div role="status" style="line-height:1.5;overflow-x:auto">{"".join(parts)}</div>'


def strip_html(words: str, *, is_error: bool) -> str:
    """One line on what was done, or on what went wrong."""
    if not words:
        return ""
    role, style, sign = ("alert", _ERROR, "✗ ") if is_error else ("status", _PLAIN, "")
    return f'<div role="{role}" style="{style}">{sign}{escape(words)}</div>'


def cell_view() -> Any:  # noqa: ANN401 - ipywidgets has no types
    """A widget whose ``value`` is the cell; without anywidget it is a text box that can be selected."""
    try:
        return _cell_text()()
    except ImportError:
        return w.Textarea(description="The same magic", rows=8, layout=w.Layout(width="auto"))


@cache
def _cell_text() -> type:
    import anywidget  # noqa: PLC0415 - it may be missing

    class CellText(anywidget.AnyWidget):
        _esm = _ESM
        _css = _CSS
        value = t.Unicode("").tag(sync=True)

    return CellText
