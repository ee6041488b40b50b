"""Shapes and colours: what each kind of mark looks like. A kind has its shape first, and a colour besides.

* done: a stroke on the base line
* failed: half as high again, with a round head
* canceled: half as high, with a square head
* running: an open box from its start to now
* a coming fire: a thin stroke
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aml_magics.model.resources import RunStatus
from aml_magics.notebook.timeline.marks import Span, band, dots

__all__ = ["SHAPES", "STYLE", "drawn", "kind_of", "legend"]

SHAPES: Mapping[str, int] = {"done": 10, "failed": 15, "canceled": 6, "running": 10}  # heights in pixels
_HEADED = ("failed", "canceled")
_KINDS: Mapping[RunStatus, str] = {
    RunStatus.FINISHED: "done",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELED: "canceled",
    RunStatus.RUNNING: "running",
    RunStatus.NOT_STARTED: "running",
}
_BASE = 22
_NARROW = ".aml-tl .w{display:none}.aml-tl .second{transform:translate(0,16px)}"
STYLE = (
    ".aml-tl{font:11px var(--jp-ui-font-family,system-ui,sans-serif)}"
    ".aml-tl text{fill:var(--jp-ui-font-color1,#7a7a7a)}.aml-tl .soft{fill:var(--jp-ui-font-color2,#7a7a7a)}"
    ".aml-tl path{vector-effect:non-scaling-stroke;fill:none}"
    ".aml-tl .label{padding-left:4px;line-height:18px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;"
    "color:var(--jp-ui-font-color1,#7a7a7a)}.aml-tl .label.soft{color:var(--jp-ui-font-color2,#7a7a7a)}"
    ".aml-tl .grid,.aml-tl .day,.aml-tl .fire,.aml-tl .now{shape-rendering:crispEdges}"
    ".aml-tl .grid{stroke:#80808030}.aml-tl .day{stroke:#80808078}"
    ".aml-tl .now{stroke:var(--jp-ui-font-color1,#7a7a7a);stroke-width:1.5}"
    ".aml-tl .done{stroke:var(--jp-success-color1,#3a9a5c);fill:var(--jp-success-color1,#3a9a5c);stroke-width:2}"
    ".aml-tl .failed{stroke:var(--jp-error-color1,#dc4c4c);fill:var(--jp-error-color1,#dc4c4c);stroke-width:2}"
    ".aml-tl .failed-head{stroke:var(--jp-error-color1,#dc4c4c);stroke-width:6;stroke-linecap:round}"
    ".aml-tl .running{stroke:var(--jp-brand-color1,#2f8fdd);stroke-width:1.5}"
    ".aml-tl .canceled,.aml-tl .canceled-head{stroke:var(--jp-ui-font-color2,#8a8a8a);stroke-width:1.5}"
    ".aml-tl .canceled-head{stroke-width:5;stroke-linecap:square}"
    ".aml-tl .fire{stroke:var(--jp-ui-font-color2,#8a8a8a);fill:#80808050}"
    ".aml-tl .both{stroke:var(--jp-warn-color1,#e08a1e);stroke-width:5;stroke-linecap:round}"
    ".aml-tl .across{stroke:var(--jp-warn-color1,#e08a1e);stroke-dasharray:2 3}"
    ".aml-tl .second{transform:translate(272px,0)}"
    f"@media (max-width:740px){{{_NARROW}}}@container (max-width:740px){{{_NARROW}}}"
)


def kind_of(status: RunStatus) -> str:
    """What a run of that status is drawn as: one of ``SHAPES``."""
    return _KINDS[status]


def drawn(kind: str, spans: Sequence[Span], *, base: int = _BASE) -> str:
    """All runs of one kind as a path, standing on ``base``."""
    if kind == "running":  # also one that has just begun has a width
        spans = [(left, max(right, left + 4)) for left, right in spans]
    height = SHAPES[kind]
    head = f'<path class="{kind}-head" d="{dots(spans, base - height)}"/>' if kind in _HEADED else ""
    return f'<path class="{kind}" d="{band(spans, base - height, height)}"/>{head}'


def legend(has_collisions: bool) -> str:
    """Every shape with its word, on one line of 480 pixels or, where it is narrow, on two."""
    first, x = [], 4
    for kind in SHAPES:
        first.append(drawn(kind, [(x, x)], base=16) + _word(x + 10, kind))
        x += 28 + 6 * len(kind)
    second = [f'<path class="fire" d="{band([(4, 4), (8, 8)], 6, 10)}"/>{_word(16, "will fire")}']
    if has_collisions:
        second.append(f'<path class="both" d="{dots([(84, 84)], 11)}"/>{_word(94, "at once")}')
    return f'{"".join(first)}<g class="second">{"".join(second)}</g>'


def _word(x: int, word: str) -> str:
    return f'<text class="soft" x="{x}" y="15">{word}</text>'
