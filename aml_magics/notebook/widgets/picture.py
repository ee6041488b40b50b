"""What the browser was last told, and the least that has to be said to bring it up to date.

A picture is a plain dict that goes over the wire as it is: the rows in sight and a few facts about the table. The
difference of two pictures is a patch; the browser applies it to its own copy and then holds the new picture. Both sides
count versions, so that a browser that missed one asks for everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from aml_magics.notebook.widgets.rows import Row

__all__ = ["Picture", "difference"]

Picture: TypeAlias = dict[str, Any]


def difference(old: Picture, new: Picture, always: Iterable[str] = ()) -> Picture:
    """The patch from one to the other: ``set`` facts, ``keys`` in order, whole ``rows``, single ``cells``, ``acts``.

    Facts in ``always`` are said even if they are the same. Empty when there is nothing to say.
    """
    patch: Picture = {}
    facts = {name: value for name, value in new.items() if name not in {"keys", "rows"}}
    if changed := {name: value for name, value in facts.items() if name in always or value != old.get(name)}:
        patch["set"] = changed
    if new["keys"] != old["keys"]:
        patch["keys"] = new["keys"]
    for key, row in new["rows"].items():
        _compare(key, old["rows"].get(key), row, patch)
    return patch


def _compare(key: str, old: Row | None, new: Row, patch: Picture) -> None:
    if old is None or old[2:] != new[2:]:
        patch.setdefault("rows", {})[key] = new
        return
    for place, (before, now) in enumerate(zip(old[0], new[0], strict=True)):
        if before != now:
            patch.setdefault("cells", []).append([key, place, now])
    if old[1] != new[1]:
        patch.setdefault("acts", []).append([key, new[1]])
