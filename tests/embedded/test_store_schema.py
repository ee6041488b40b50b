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


def tables_of(steps):
    """The statement that made each table, and the names of its columns."""
    database = Database(":memory:")
    database.migrate(COMPONENT, steps)
    found = {
        row["name"]: (row["sql"], [column["name"] for column in database.rows(f"PRAGMA table_info({row['name']})")])
        for row in database.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    }
    database.close()
    return found


def back_to_the_first_version(path):
    """Tables that are newer go, and those that have changed are made anew with the columns that they had."""
    old, new = tables_of(STEPS[:1]), tables_of(STEPS)
    connection = sqlite3.connect(path)
    for table in new.keys() - old.keys():
        connection.execute(f"DROP TABLE {table}")
    for table in (name for name in old if old[name] != new[name]):
        statement, columns = old[table]
        rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
        connection.execute(f"DROP TABLE {table}")
        connection.execute(statement)
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    connection.execute("UPDATE migrations SET version = 1 WHERE component = ?", (COMPONENT,))
    connection.commit()
    connection.close()


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
