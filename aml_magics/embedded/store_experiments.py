"""Experiments: names under which runs are filed. Made by hand, or by the first run that names one."""

from __future__ import annotations

import json
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_filter import compile_filter
from aml_magics.model.errors import Conflict, InvalidInput, NotFound, did_you_mean
from aml_magics.model.resources import Experiment
from aml_magics.wire.casing import Body, Json
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1 import experiment_to

if TYPE_CHECKING:
    from aml_magics.engine.database import Database

__all__ = ["Experiments", "check_experiment_name", "is_experiment_name", "page"]

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}")
_VIEWS: dict[str, Callable[[sqlite3.Row], bool]] = {
    "default": lambda row: row["archived"] is None,
    "activeonly": lambda row: row["archived"] is None,
    "archivedonly": lambda row: row["archived"] is not None,
    "all": lambda _row: True,
}


class Experiments:
    """The experiments of one workspace. Answers are ExperimentDtos."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def query(self, request: Mapping[str, Any]) -> Json:
        """POST ``experiments:query``: ``viewType``, ``filter``, ``top`` and ``continuationToken``, all optional."""
        body = Body(request, "query")
        view = body.text("viewType", "Default")
        is_in_view = _VIEWS.get(view.casefold())
        if is_in_view is None:
            message = f"query.viewType: {view!r} is no view"
            raise InvalidInput(message, hint="Known: Default, ActiveOnly, ArchivedOnly, All.")
        passes = compile_filter(body.optional_text("filter"))
        rows = filter(is_in_view, self._database.rows("SELECT * FROM experiments ORDER BY name"))
        found = [answer for answer in map(_answer, rows) if passes(answer)]
        return page(found, body)

    def get(self, name: str) -> Json:
        """Raises ``NotFound`` with the nearest name."""
        row = self._database.row("SELECT * FROM experiments WHERE name = ?", (name,))
        if row is None:
            message = f"there is no experiment {name!r}"
            raise NotFound(message, hint=did_you_mean(name, self.names()))
        return _answer(row)

    def get_by_id(self, experiment_id: str) -> Json:
        row = self._database.row("SELECT * FROM experiments WHERE id = ?", (experiment_id,))
        if row is None:
            message = f"there is no experiment with the id {experiment_id!r}"
            raise NotFound(message)
        return _answer(row)

    def names(self) -> list[str]:
        return [row["name"] for row in self._database.rows("SELECT name FROM experiments ORDER BY name")]

    def create(self, name: str) -> Json:
        """The experiment of that name, made when it is not there. Raises ``InvalidInput`` for an impossible name."""
        with self._database.transaction() as connection:
            self.ensure(connection, name)
        return self.get(name)

    def ensure(self, connection: sqlite3.Connection, name: str) -> str:
        """The id of the experiment ``name``, made inside the caller's transaction when it is not there."""
        check_experiment_name(name)
        row = connection.execute("SELECT id FROM experiments WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row["id"])
        made = str(uuid.uuid4())
        columns = (made, name, instant_to(self._now()))
        connection.execute("INSERT INTO experiments (id, name, created) VALUES (?, ?, ?)", columns)
        return made

    def modify(self, experiment_id: str, request: Mapping[str, Any]) -> Json:
        """PATCH: ``description``, ``tags`` (added to those that are there) and ``archive``."""
        body = Body(request, "experiment")
        before = self.get_by_id(experiment_id)
        archive = body.boolean("archive")
        archived = before["archivedTime"]
        if archive is not None:
            archived = (archived or instant_to(self._now())) if archive else None
        tags = before["tags"] | body.tags()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE experiments SET description = ?, tags = ?, archived = ? WHERE id = ?",
                (body.text("description", before["description"]), json.dumps(tags), archived, experiment_id),
            )
        return self.get_by_id(experiment_id)

    def remove_tags(self, experiment_id: str, names: Iterable[str]) -> None:
        """Names that are no tags of it are passed over. Raises ``NotFound``."""
        with self._database.transaction() as connection:
            tags = self.get_by_id(experiment_id)["tags"]
            for name in names:
                tags.pop(name, None)
            connection.execute("UPDATE experiments SET tags = ? WHERE id = ?", (json.dumps(tags), experiment_id))

    def delete(self, experiment_id: str) -> None:
        """Raises ``NotFound``, and ``Conflict`` for an experiment with runs: as on Azure, only an empty one can go."""
        with self._database.transaction() as connection:
            name = self.get_by_id(experiment_id)["name"]
            if connection.execute("SELECT 1 FROM runs WHERE experiment = ? LIMIT 1", (name,)).fetchone():
                message = f"experiment {name!r} has runs"
                raise Conflict(message, hint="Only an empty experiment can be deleted: archive this one.")
            connection.execute("DELETE FROM experiments WHERE id = ?", (experiment_id,))


def is_experiment_name(name: str) -> bool:
    """Whether Azure would take it."""
    return _NAME.fullmatch(name) is not None


def check_experiment_name(name: str, what: str = "") -> None:
    """Raises ``InvalidInput`` for a name that Azure would not take either."""
    if is_experiment_name(name):
        return
    problem = f"{name!r} cannot be an experiment's name" if name else "no experiment is named"
    message = f"{what}: {problem}" if what else problem
    raise InvalidInput(message, hint="experiment_name: 1 to 255 letters, digits, - and _, the first a letter or digit.")


def page(items: Iterable[Json], body: Body) -> Json:
    """One page of ``items``: ``top`` of them from ``continuationToken`` on, and the token of the next page or ``null``.

    Of an iterator no more is taken than the page needs.
    """
    token = body.text("continuationToken", "0")
    start = int(token) if token.isascii() and token.isdigit() and len(token) < 10 else -1
    if start < 0:
        message = f"query.continuationToken: {token!r} is none of ours"
        raise InvalidInput(message)
    top = body.integer("top")
    size = 500 if top is None or top < 1 else top
    found = list(islice(items, start, start + size + 1))
    return {"value": found[:size], "continuationToken": str(start + size) if len(found) > size else None}


def _answer(row: sqlite3.Row) -> Json:
    experiment = Experiment(
        id=row["id"], name=row["name"], description=row["description"], created=instant_from(row["created"])
    )
    return experiment_to(experiment) | {"archivedTime": row["archived"], "tags": json.loads(row["tags"])}
