"""Timelines: what ran and what fires, over all schedules, as our own SVG.

``rows`` makes plain values of schedules and runs, ``axis`` divides the time, ``marks`` turns instants into few and
short paths, ``shapes`` says how each kind looks, ``texts`` what is said, ``drawing`` puts them together, ``outline``
has everything that one drawing says, ``snapshot`` is that as it stays in a file. All of this is pure: values in, text
out. ``live`` is the widget. Places across are in per mille of the plot's width and no text is ever scaled, so that one
drawing is right at 500 pixels and at 1,000.
"""

from __future__ import annotations

from aml_magics.notebook.timeline.drawing import as_image, timeline_svg
from aml_magics.notebook.timeline.outline import Outline, outline_of
from aml_magics.notebook.timeline.rows import Collision, Ran, Row, collisions, rows_of

__all__ = ["Collision", "Outline", "Ran", "Row", "as_image", "collisions", "outline_of", "rows_of", "timeline_svg"]
