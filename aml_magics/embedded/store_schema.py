"""The tables of the embedded workspace, as numbered scripts: a script that has been released is never changed.

Instants are ISO 8601 text in UTC, as they go over the wire. ``revision`` counts the updates of a row and is its ETag. A
schedule is kept as the entity that is answered (JSON text), so that ten thousand of them are listed without parsing
one, with columns for what is searched; pipeline endpoints and drafts are kept alike. A pipeline that is not ``listed``
was made for one run, of a draft or of a graph that nobody published. ``steps`` of a pipeline are the titles that their
author gave them, ``nodes`` the node id and our name of each with a note; when there are none, the title is both. A row
of ``graph_runs`` is a run that was made of a graph. The ``secret`` of a datastore is the id under which
``.aml/credentials.json`` has it, never the secret itself. Runs and steps have tables of their own, in ``run_tables``.
"""

from __future__ import annotations

__all__ = ["COMPONENT", "STEPS"]

COMPONENT = "workspace"

STEPS = (
    """
    CREATE TABLE workspace (id TEXT NOT NULL, created TEXT NOT NULL);
    CREATE TABLE experiments (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '{}',
        created TEXT NOT NULL,
        archived TEXT
    );
    CREATE TABLE datastores (
        name TEXT PRIMARY KEY,
        type TEXT NOT NULL,
        folder TEXT,
        account TEXT,
        container TEXT,
        is_default INTEGER NOT NULL DEFAULT 0,
        created TEXT NOT NULL
    );
    CREATE TABLE modules (
        id TEXT PRIMARY KEY,
        hash TEXT NOT NULL,
        entity TEXT NOT NULL
    );
    CREATE INDEX modules_by_hash ON modules (hash);
    CREATE TABLE graphs (
        id TEXT PRIMARY KEY,
        graph TEXT NOT NULL,
        interface TEXT NOT NULL
    );
    CREATE TABLE pipelines (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        version TEXT NOT NULL,
        status TEXT NOT NULL,
        graph_id TEXT NOT NULL REFERENCES graphs (id),
        steps TEXT NOT NULL,
        continue_on_step_failure INTEGER NOT NULL,
        extras TEXT NOT NULL,
        created TEXT NOT NULL,
        modified TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1
    );
    CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
        datastore TEXT,
        created TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1,
        entity TEXT NOT NULL
    );
    CREATE INDEX schedules_by_pipeline ON schedules (pipeline_id, status);
    CREATE INDEX schedules_by_status ON schedules (status, created);
    """,
    """
    CREATE TABLE endpoints (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        default_pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
        created TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1,
        entity TEXT NOT NULL
    );
    CREATE INDEX endpoints_by_default ON endpoints (default_pipeline_id);
    ALTER TABLE schedules RENAME TO schedules_on_pipelines;
    CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        pipeline_id TEXT REFERENCES pipelines (id),
        endpoint_id TEXT REFERENCES endpoints (id),
        datastore TEXT,
        created TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1,
        entity TEXT NOT NULL,
        CHECK ((pipeline_id IS NULL) <> (endpoint_id IS NULL))
    );
    INSERT INTO schedules (id, name, status, pipeline_id, datastore, created, revision, entity)
        SELECT id, name, status, pipeline_id, datastore, created, revision, entity FROM schedules_on_pipelines;
    DROP TABLE schedules_on_pipelines;
    CREATE INDEX schedules_by_pipeline ON schedules (pipeline_id, status);
    CREATE INDEX schedules_by_endpoint ON schedules (endpoint_id, status);
    CREATE INDEX schedules_by_status ON schedules (status, created);
    """,
    """
    ALTER TABLE pipelines ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE graph_drafts (
        id TEXT PRIMARY KEY,
        revision INTEGER NOT NULL DEFAULT 1,
        entity TEXT NOT NULL
    );
    CREATE TABLE pipeline_drafts (
        id TEXT PRIMARY KEY,
        created TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 1,
        given TEXT NOT NULL,
        entity TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE snapshots (id TEXT PRIMARY KEY, files TEXT NOT NULL, created TEXT NOT NULL);
    CREATE TABLE snapshot_files (hash TEXT PRIMARY KEY, content BLOB NOT NULL);
    CREATE TABLE data_sources (id TEXT PRIMARY KEY, hash TEXT NOT NULL, entity TEXT NOT NULL);
    CREATE INDEX data_sources_by_hash ON data_sources (hash);
    CREATE TABLE graph_runs (
        id TEXT PRIMARY KEY,
        pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
        request TEXT NOT NULL,
        created TEXT NOT NULL
    );
    ALTER TABLE pipelines ADD COLUMN nodes TEXT NOT NULL DEFAULT '[]';
    """,
    """
    ALTER TABLE datastores ADD COLUMN url TEXT;
    ALTER TABLE datastores ADD COLUMN credential TEXT NOT NULL DEFAULT 'None';
    ALTER TABLE datastores ADD COLUMN secret TEXT;
    """,
)
