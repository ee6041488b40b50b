"""The live table in the browser: an anywidget whose code and style are the files beside this module.

The widget's state is the picture that the browser holds, made when it is asked for, so a page that is loaded again
while the kernel lives sees the present. All else goes by messages: patches to the browser, gestures from it. They may
come in the main thread or in a subshell's, during a cell or after it; the table is ready for all of that.

ipykernel 7.4 sends a comm's incoming messages to the shell that the comm last sent from, so a table that is fed by a
background thread would hear nothing until the cell that runs has ended. Forgetting that route after each send lets it
hear at once. The attribute is private to ipykernel: where it is missing, the table is late and right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets
from IPython.display import display

from aml_magics.notebook.widgets.picture import Picture
from aml_magics.notebook.widgets.squeeze import squeezed_css, squeezed_js
from aml_magics.notebook.widgets.table import Table

__all__ = ["LiveFace"]


def _read(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


ESM = squeezed_js("\n".join(map(_read, ("draw.js", "detail.js", "table.js"))))
CSS = squeezed_css(_read("table.css"))


class _LiveTable(anywidget.AnyWidget):
    _esm = ESM
    _css = CSS
    spec = traitlets.Dict().tag(sync=True)
    picture = traitlets.Dict().tag(sync=True, to_json=lambda _value, widget: widget.table.picture())

    def __init__(self, table: Table) -> None:
        self.table = table
        super().__init__(spec=table.spec())
        self.on_msg(self._receive)

    def open(self) -> None:
        super().open()
        self._forget_route()

    def send(self, content: Any, buffers: Any = None) -> None:  # noqa: ANN401 - as the base class has it
        super().send(content, buffers)
        self._forget_route()

    def send_state(self, key: Any = None) -> None:  # noqa: ANN401
        super().send_state(key)
        self._forget_route()

    def _forget_route(self) -> None:
        if (comm := getattr(self, "comm", None)) is not None:
            vars(comm).pop("_reply_subshell_id", None)

    def _receive(self, _widget: object, content: dict[str, Any], _buffers: object) -> None:
        self.table.receive(content)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401
        made = super()._repr_mimebundle_(**options)
        if made is not None:
            made[0]["text/plain"] = repr(self.table)
            made[0]["text/html"] = "<p>Run this cell for the live table.</p>"
        return made


class LiveFace:
    """A Table's face where anywidget is there."""

    def __init__(self, table: Table) -> None:
        self.widget = _LiveTable(table)

    def tell(self, patch: Picture) -> None:
        self.widget.send(patch)

    def show(self) -> None:
        display(self.widget)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self.widget.close()
