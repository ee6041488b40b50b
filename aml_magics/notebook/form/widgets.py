"""The inputs as ipywidgets: one column of labelled inputs, the preview, the cell to copy, one button, one strip.

Nothing here decides anything: it shows what it is told and passes on what a person does. Everything shown that is
somebody's text is escaped, since an HTML widget does not. The inputs are the browser's own, in their order, so Tab,
arrows, Space and Enter are all that it takes; a small view (``cell.js``) keeps JupyterLab's shortcuts from firing
inside ("b" would insert a cell) and copies the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets as w
from IPython.display import display

from aml_magics.model.resources import Pipeline
from aml_magics.notebook.form.fields import FIELDS, TRIGGERS, Field, help_of, is_shown
from aml_magics.notebook.form.judge import Verdict
from aml_magics.notebook.form.showing import STATIC, cell_view, preview_html, strip_html
from aml_magics.notebook.values import inferred

__all__ = ["Choices", "Inputs"]

_NONE = ("(choose)", "")
_DEFAULT = ("(default)", "")
_FIRST = 3  # inputs above those of the trigger
_WIDE = {"description_width": "13.5em"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the workspace and this machine have to choose from."""

    pipelines: Sequence[Pipeline] = ()
    experiments: Sequence[str] = ()
    datastores: Sequence[str] = ()
    time_zones: Sequence[str] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)

    def of(self, one: Field) -> list[tuple[str, str]] | list[str]:
        """The choices of an input: pairs of what is shown and what it means, or words to begin with."""
        if one.key == "pipeline":
            return [_NONE, *((name, name) for name in dict.fromkeys(pipeline.name for pipeline in self.pipelines))]
        if one.key == "datastore":
            return [_NONE, *((name, name) for name in self.datastores)]
        if one.kind == "combo":
            return list(self.experiments if one.key == "experiment_name" else self.time_zones)
        return [_NONE if one.key == "frequency" else _DEFAULT, *((word, word) for word in one.choices)]


class Inputs:
    """The form as a widget. ``on_change`` is called for every change, ``on_create`` for the button."""

    def __init__(self, choices: Choices, *, on_change: Callable[[], None], on_create: Callable[[], None]) -> None:
        self._choices = choices
        self._on_change = on_change
        self._inputs: dict[str, Any] = {one.key: self._input(one) for one in FIELDS}
        self._parameters: dict[tuple[str, str], Any] = {}
        self._trigger = w.Dropdown(
            options=[(words, kind) for kind, words in TRIGGERS.items()],
            description="Trigger",
            layout=_layout(),
            style=_WIDE,
        )
        self._more = w.ToggleButton(description="More options", layout=w.Layout(width="12em", margin="4px 0 4px 0"))
        self._own = w.VBox(layout=w.Layout(overflow="visible"))  # the parameters of the pipeline
        self._preview = w.HTML(layout=_layout())
        self._cell = cell_view()
        self._button = w.Button(description="Create schedule", button_style="primary", layout=w.Layout(width="14em"))
        self._button.add_class("aml-create")
        self._strip = w.HTML(layout=_layout())
        self.root = w.VBox(self._rows(), layout=w.Layout(width="100%", max_width="46em", padding="4px"))
        self.root.add_class("aml-form")
        for key, text in choices.chosen.items():
            self._inputs[key].value = text
        self._refresh_pipeline()
        self._arrange()
        self._listen(on_create)

    @property
    def raw(self) -> dict[str, object]:
        """What stands in the inputs, by key."""
        found = {key: self._value(key) for key in self._inputs}
        for kind in ("pipeline_parameters", "data_paths"):
            found[kind] = {name: _typed(one) for (of, name), one in self._parameters.items() if of == kind}
        return found

    @property
    def trigger(self) -> str:
        return str(self._trigger.value)

    def set(self, key: str, value: object) -> None:
        """Put a value into an input, as a person would."""
        if key == "trigger":
            self._trigger.value = value
        elif key in self._inputs:
            one = self._inputs[key]
            if _is_group(one):
                for box in one.children[1].children:
                    box.value = box.description in tuple(value)  # type: ignore[arg-type]
            else:
                one.value = value
        else:
            next(one for (_, name), one in self._parameters.items() if name == key).value = value

    def show(self, verdict: Verdict, fires: Sequence[Sequence[str]]) -> None:
        """The preview, the cell, and whether the button can be pressed."""
        self._preview.value = preview_html(verdict, fires)
        self._cell.value = verdict.cell
        if self._button.description == "Create schedule":
            self._button.disabled = not verdict.can_be_made

    def pend(self, words: str) -> None:
        """Show at once that something is under way."""
        self._button.disabled = True
        self._button.description = "Creating …"
        self.say(words)

    def settle(self, said: str) -> None:
        """Show that it is over."""
        self._button.description = "Create schedule"
        self._button.disabled = False
        self.say(said)

    def say(self, words: str) -> None:
        self._strip.value = strip_html(words, is_error=False)

    def fail(self, error: str) -> None:
        """Show what went wrong, in one line."""
        self._strip.value = strip_html(error, is_error=True)

    def press(self) -> None:
        """As a person does."""
        self._button.click()

    def close(self) -> None:
        _close(self.root)

    def display(self, cell: str) -> None:
        """A text that stays in the file, and the form, which hides it."""
        bundle = {"text/html": STATIC, "text/plain": f"A form that makes a schedule; the magic for it is:\n{cell}"}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]
        view = "application/vnd.jupyter.widget-view+json"
        model = {"version_major": 2, "version_minor": 0, "model_id": self.root.model_id}
        display({view: model, "text/plain": "A form that makes a schedule."}, raw=True)  # type: ignore[no-untyped-call]

    def _rows(self) -> list[Any]:
        inputs = list(self._inputs.values())
        return [
            *inputs[:_FIRST],
            self._own,
            self._trigger,
            *inputs[_FIRST:],
            self._more,
            self._preview,
            self._cell,
            self._button,
            self._strip,
        ]

    def _input(self, one: Field) -> Any:  # noqa: ANN401 - ipywidgets has no types
        if one.kind == "several":
            return _group(one)
        common = {"description": one.title, "layout": _layout(), "style": _WIDE, "tooltip": help_of(one)}
        choices = self._choices.of(one)
        if one.kind == "choice":
            return w.Dropdown(options=choices, value="", **common)
        if one.kind == "flag":
            return w.Checkbox(value=False, **{**common, "indent": True})
        if one.kind == "combo":
            return w.Combobox(options=choices, placeholder=one.example, ensure_option=False, **common)
        return w.Text(placeholder=one.example, continuous_update=True, **common)

    def _value(self, key: str) -> object:
        one = self._inputs[key]
        return tuple(box.description for box in one.children[1].children if box.value) if _is_group(one) else one.value

    def _listen(self, on_create: Callable[[], None]) -> None:
        self._button.on_click(lambda _button: on_create())
        self._trigger.observe(lambda _change: self._moved(), "value")
        self._more.observe(lambda _change: self._arrange(), "value")
        for key, one in self._inputs.items():
            for part in one.children[1].children if _is_group(one) else [one]:
                moves = key in ("frequency", "pipeline")
                part.observe(lambda _change, moves=moves: self._moved() if moves else self._on_change(), "value")

    def _moved(self) -> None:
        """Another pipeline, trigger or frequency: other inputs count."""
        self._refresh_pipeline()
        self._arrange()
        self._on_change()

    def _arrange(self) -> None:
        frequency = str(self._inputs["frequency"].value)
        for one in FIELDS:
            wanted = is_shown(one, self.trigger, frequency) and (not one.rare or self._more.value)
            self._inputs[one.key].layout.display = "" if wanted else "none"

    def _refresh_pipeline(self) -> None:
        """Inputs for the parameters and data paths of the pipeline that is chosen."""
        name = self._inputs["pipeline"].value
        chosen = next((one for one in self._choices.pipelines if one.name == name), None)
        paths = [one.name for one in chosen.data_paths] if chosen else []
        wanted = {("pipeline_parameters", one.name): str(one.default) for one in chosen.parameters} if chosen else {}
        wanted |= (
            {("data_paths", one.name): str(one.default or "datastore/path") for one in chosen.data_paths}
            if chosen
            else {}
        )
        if list(wanted) == list(self._parameters):
            return
        for one in self._parameters.values():
            _close(one)
        defaults = {one.name: one.default for one in chosen.parameters} if chosen else {}
        self._parameters = {key: self._parameter(key, example, defaults) for key, example in wanted.items()}
        self._own.children = tuple(self._parameters.values())
        self._inputs["data_path_parameter_name"].options = [_DEFAULT, *((one, one) for one in paths)]

    def _parameter(self, key: tuple[str, str], example: str, defaults: Mapping[str, object]) -> Any:  # noqa: ANN401
        kind = "parameter" if key[0] == "pipeline_parameters" else "data path"
        one = w.Text(placeholder=example, description=key[1], layout=_layout(), style=_WIDE, tooltip=f"{kind} {key[1]}")
        one.is_text = key[0] == "data_paths" or isinstance(defaults[key[1]], str)
        one.observe(lambda _change: self._on_change(), "value")
        return one


def _close(one: Any) -> None:  # noqa: ANN401
    """Close a widget with all that is in it: its layout and style are widgets too, and none goes by itself."""
    for child in getattr(one, "children", ()):
        _close(child)
    for part in (getattr(one, "style", None), one.layout, one):
        if part is not None:
            part.close()


def _layout() -> Any:  # noqa: ANN401
    return w.Layout(width="auto")  # as wide as the form, its margins counted


def _group(one: Field) -> Any:  # noqa: ANN401
    """A box for each word, side by side where there is room."""
    boxes = [w.Checkbox(description=word, indent=False, layout=w.Layout(width="8.5em")) for word in one.choices]
    words = w.HBox(boxes, layout=w.Layout(flex_flow="row wrap", flex="1 1 0", overflow="visible"))
    return w.HBox([w.Label(one.title, layout=w.Layout(width="13.5em")), words], layout=_layout())


def _is_group(one: object) -> bool:
    return isinstance(one, w.HBox)


def _typed(one: Any) -> object:  # noqa: ANN401
    """A parameter's text; a number where the pipeline has one."""
    return one.value if one.is_text else inferred(one.value)
