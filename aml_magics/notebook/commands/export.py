"""``%aml export``: a schedule as a Logic App or a Data Factory pipeline, in a folder of its own beside the notebook."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aml_magics.export.check import check_definition
from aml_magics.export.data_factory import export_data_factory
from aml_magics.export.definitions import definition_from, last_name
from aml_magics.export.logic_app import export_logic_app
from aml_magics.export.source import text_of
from aml_magics.model.change import DatastoreChange
from aml_magics.model.errors import Conflict, InvalidInput
from aml_magics.model.words import listed
from aml_magics.notebook.commands.export_request import source_of
from aml_magics.notebook.views import Text, View
from aml_magics.notebook.words import spelled

if TYPE_CHECKING:
    from aml_magics.export.source import Export, Source
    from aml_magics.notebook.call import Call

__all__ = ["data_factory", "logic_app"]

_WHAT = {"logic-app": "Logic App", "data-factory": "Data Factory pipeline"}
_STATES = {
    "logic-app": "Disabled: enable it when it is deployed",
    "data-factory": "Stopped: start it when it is deployed",
}


def logic_app(call: Call) -> View | Text:
    """A schedule as a Logic App."""
    source = source_of(call, "logic-app")
    return _made(call, source, export_logic_app(source, call.now()))


def data_factory(call: Call) -> View | Text:
    """A schedule as a Data Factory pipeline."""
    source = source_of(call, "data-factory")
    return _made(call, source, export_data_factory(source, call.now()))


def _made(call: Call, source: Source, export: Export) -> View | Text:
    check_definition(definition_from(export.template, name=export.name, parameters=export.parameters["parameters"]))
    if call.get("print"):
        text = Text(text_of(export.template))
        text.add_notes([*_unknown(export), "Nothing was written: leave --print out for the folder."])
        return text
    folder = Path(call.get("to") or f"{export.name}-{export.kind}").expanduser()
    _write(folder, export.files(), force=bool(call.get("force")))
    return _view(source, export, folder)


def _write(folder: Path, files: dict[str, str], *, force: bool) -> None:
    """All files or none: they are written beside the folder and moved into its place."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{str(folder)!r} is a file", hint="Name a folder with --to.")
    if folder.exists() and not force and any(folder.iterdir()):
        message = f"the folder {str(folder)!r} is there already"
        raise Conflict(message, hint="Overwrite its files with --force, or name another folder with --to.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as beside:
            for name, text in files.items():
                Path(beside, name).write_text(text, encoding="utf-8")
            folder.mkdir(exist_ok=True)
            for name in files:
                shutil.move(Path(beside, name), folder / name)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"Cannot write {str(folder)!r}: {reason}"
        raise InvalidInput(message, hint="Name a place that you can write to with --to.") from error


def _view(source: Source, export: Export, folder: Path) -> View:
    what, schedule = _WHAT[export.kind], source.schedule
    place = spelled(folder.as_posix())
    fields = [
        ("folder", str(folder)),
        ("files", ", ".join(export.files())),
        ("starts", f"batch endpoint {source.batch_endpoint}" if source.batch_endpoint else source.target),
        ("when", schedule.trigger.in_words()),
        ("folders", ", ".join(one or "/" for one in source.conditions.folders)),
        ("only", source.conditions.in_words()),
        ("state", _STATES[export.kind]),
    ]
    code = f"%aml {export.kind} run {place}{_trigger(source, export)}\n%aml {export.kind} deploy {place} --dry-run"
    differs = ["What differs from the schedule:", *(f"- {one}" for one in export.differences)]
    last = "Next: the two lines above run it here and show what a deployment would do; README.md has Azure's commands."
    notes = [*(differs if export.differences else ()), *_unknown(export), last]
    return View(f"Exported {schedule.name} as a {what}", value=export, fields=fields, code=code, notes=notes)


def _trigger(source: Source, export: Export) -> str:
    """The option without which a Data Factory pipeline cannot run that gets its file from an event."""
    if export.kind != "data-factory" or not isinstance(source.schedule.trigger, DatastoreChange):
        return ""
    trigger = next(one for one in export.template["resources"] if one["type"].endswith("/triggers"))
    return f" --trigger {last_name(trigger['name'])}"


def _unknown(export: Export) -> list[str]:
    if not export.unknown:
        return []
    return [f"Not known here, to be filled in before it is deployed: {listed(export.unknown)}."]
