"""A database that an earlier version of this package wrote is opened, and nothing in it is lost."""

from __future__ import annotations

import json
import sqlite3

import pytest

from aml_magics.embedded.store_schema import COMPONENT, STEPS
from aml_magics.engine.database import Database
from tests.embedded.app_bed import on_a_workspace


def test_the_schedules_of_a_file_from_before_there_were_endpoints_are_still_there(tmp_path):
    """The tables of schedules as they were, with the rows of today in them."""

    async def make(bed):
        made = (await bed.create(name="nightly")).body
        return made, (await bed.pipelines("GET", f"/Pipelines/{made['PipelineId']}")).body

    made, pipeline = on_a_workspace(tmp_path, make)
    back_to_the_first_version(tmp_path / ".aml" / "workspace.db")

    async def look(bed):
        assert (await bed.pipelines("GET", f"/Schedules/Pipeline/{made['PipelineId']}")).body == [made]
        assert (await bed.pipelines("GET", "/Pipelines")).body == [pipeline]
        assert (await bed.disable(made["Id"])).status == 200
        endpoint = {"Name": "prod", "PipelineId": made["PipelineId"]}
        assert (await bed.pipelines("POST", "/PipelineEndpoints/Create", endpoint)).status == 200

    on_a_workspace(tmp_path, look)


def tables_of(database):
    return {row["name"]: row["sql"] for row in database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'")}


def back_to_the_first_version(path):
    old, new = Database(":memory:"), Database(":memory:")
    old.migrate(COMPONENT, STEPS[:1])
    new.migrate(COMPONENT, STEPS)
    tables = tables_of(old)
    connection = sqlite3.connect(path)
    for table in tables_of(new).keys() - tables.keys():
        connection.execute(f"DROP TABLE {table}")
    for table in ("schedules", "pipelines"):
        names = ", ".join(row["name"] for row in old.rows(f"PRAGMA table_info({table})"))
        rows = connection.execute(f"SELECT {names} FROM {table}").fetchall()
        connection.execute(f"DROP TABLE {table}")
        connection.execute(tables[table])
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.execute("UPDATE migrations SET version = 1 WHERE component = ?", (COMPONENT,))
    connection.commit()
    connection.close()
    old.close()
    new.close()


def test_a_schedule_has_a_pipeline_or_an_endpoint_and_never_both():
    database = Database(":memory:")
    database.migrate(COMPONENT, STEPS)
    row = ("id", "name", "Active", "2026-01-01", json.dumps({}))
    for target in ((None, None), ("p", "e")):
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"), database.transaction() as connection:
            connection.execute(
                "INSERT INTO schedules (id, name, status, created, entity, pipeline_id, endpoint_id)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*row, *target),
            )
    database.close()
