"""``%aml datastore``."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.object_names import file_parts
from aml_magics.notebook import datastore_tables
from aml_magics.notebook.commands.files import is_folder, read_file, read_folder, write_file
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aml_magics.client.workspace import Workspace
    from aml_magics.datastores.base import ObjectInfo
    from aml_magics.model.resources import Datastore
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["download", "list_all", "ls", "show", "upload"]


def list_all(call: Call) -> Table:
    """All datastores."""
    found = call.workspace.datastores.list()
    call.remember("datastore", [one.name for one in found], all_of_them=True)
    return datastore_tables.datastores(call, found)


def show(call: Call) -> View:
    """One datastore."""
    found = call.workspace.datastores.get(call.get("name_or_id"))
    call.remember("datastore", [found.name])
    fields = [*datastore_tables.facts_of(found), ("default", "yes" if found.is_default else "")]
    return View(f"Datastore {found.name}", value=found, fields=fields)


def ls(call: Call) -> Table:
    """The objects in a folder of a datastore."""
    workspace = call.workspace
    found = _datastore(workspace, call.get("name_or_id"))
    path = call.get("path", "").strip("/")
    is_deep = call.get("recursive", False)
    listed = workspace.datastores.ls(found.name, path, recursive=is_deep)
    call.remember("datastore", [found.name])
    table = datastore_tables.objects(call, listed, "/".join(filter(None, (found.name, path))))
    if not listed and not is_deep:
        table.add_notes(["Nothing lies directly here; --recursive looks into sub-folders."])
    return table


def upload(call: Call) -> Table:
    """Put a file, the files of a folder, or the cell's text on a datastore. Files are read before anything is sent."""
    items = _items(call)
    workspace = call.workspace
    datastore = _datastore(workspace, call.get("datastore"))
    with call.progress(f"Uploading to {datastore.name}") as progress:
        for done, (path, content) in enumerate(items.items()):
            progress.step(done, len(items), "files")
            if call.is_dry_run:
                workspace.datastores.ls(datastore.name, path)  # refuses the names that an upload refuses
            else:
                workspace.datastores.upload(datastore.name, content, path)
    call.remember("datastore", [datastore.name])
    verb = "Would be put" if call.is_dry_run else "Put"
    return datastore_tables.uploads(
        call, [(path, len(content)) for path, content in items.items()], f"{verb} on {datastore.name}"
    )


def download(call: Call) -> Table:
    """Copy an object, or what is in a folder, to this machine. Nothing is replaced that one did not ask to replace."""
    workspace = call.workspace
    datastore = _datastore(workspace, call.get("datastore"))
    path = call.get("path", "").strip("/")
    found = workspace.datastores.ls(datastore.name, path, recursive=True)
    is_object = [one for one in found if one.name == path] or _object_at(workspace, datastore.name, path)
    files = _targets(path, is_object or found, call.get("to"), is_object=bool(is_object))
    if not files:
        hint = f"%aml datastore ls {datastore.name} --recursive shows what is there."
        raise NotFound(f"nothing lies at {path!r} on {datastore.name}", hint=hint)
    taken = next((str(file) for file in files.values() if file.exists()), None)
    if taken and not call.get("overwrite"):
        raise Conflict(f"{taken!r} is there already", hint="Add --overwrite, or name another place.")
    if not call.is_dry_run:
        with call.progress(f"Downloading from {datastore.name}") as progress:
            for done, (one, file) in enumerate(files.items()):
                progress.step(done, len(files), "files")
                write_file(file, workspace.datastores.download(datastore.name, one.name))
    call.remember("datastore", [datastore.name])
    caption = f"{'Would be copied' if call.is_dry_run else 'Copied'} from {datastore.name}"
    return datastore_tables.uploads(call, [(str(file), one.size) for one, file in files.items()], caption)


def _object_at(workspace: Workspace, datastore: str, path: str) -> list[ObjectInfo]:
    """The object of that very name: a blob is not listed as lying in itself, as a file is."""
    return [one for one in workspace.datastores.ls(datastore, path.rpartition("/")[0]) if one.name == path]


def _targets(path: str, found: Sequence[ObjectInfo], to: object, *, is_object: bool) -> dict[ObjectInfo, Path]:
    """The file of each object. Raises InvalidInput for a name that would lead out of the folder."""
    given = Path(str(to)).expanduser() if to else None
    if is_object:
        name = path.rpartition("/")[2]
        is_into = given is not None and (is_folder(given) or str(to).endswith("/"))
        return {found[0]: given / name if given and is_into else given or Path(name)}
    top = given or Path(path.rpartition("/")[2] or ".")
    return {one: top.joinpath(*file_parts(one.name.removeprefix(f"{path}/" if path else ""))) for one in found}


def _datastore(workspace: Workspace, name: str | None) -> Datastore:
    return workspace.datastores.get(name) if name else workspace.datastores.default()


def _items(call: Call) -> dict[str, bytes]:
    """What to upload, by its path on the datastore."""
    source, path = call.get("file"), call.get("path_on_datastore", "").replace("\\", "/").lstrip("/")
    if call.body is not None or isinstance(source, bytes):
        if call.body is not None and source is not None:
            raise InvalidInput("A file and a cell's text are two uploads", hint="Leave out the file or the text.")
        if not path or path.endswith("/"):
            hint = "Add --path-on-datastore, for example --path incoming/day1.csv."
            raise InvalidInput("The text needs a place on the datastore", hint=hint)
        return {path: source if isinstance(source, bytes) else (call.body or "").encode()}
    if not isinstance(source, str | PurePath) or not str(source):
        hint = "Write %aml datastore upload FILE, or put the text into a %%aml cell."
        raise InvalidInput("There is nothing to upload", hint=hint)
    file = Path(source).expanduser()
    if is_folder(file):
        return {str(PurePosixPath(path or file.name, name)): data for name, data in read_folder(file).items()}
    return {path + file.name if not path or path.endswith("/") else path: read_file(file)}
