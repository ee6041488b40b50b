"""The tables of runs and their steps, as numbered scripts: a script that has been released is never changed.

Instants are seconds since 1970. ``owner`` is the kernel that has the run; ``tags`` and ``properties`` are what callers
have noted about it.
"""

from __future__ import annotations

__all__ = ["COMPONENT", "MIGRATIONS"]

COMPONENT = "runs"
MIGRATIONS = [
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        experiment TEXT NOT NULL,
        pipeline_id TEXT NOT NULL,
        schedule_id TEXT,
        status TEXT NOT NULL,
        detail TEXT NOT NULL,
        description TEXT NOT NULL,
        source TEXT NOT NULL,
        parameters TEXT NOT NULL,
        data_paths TEXT NOT NULL,
        continue_on_step_failure INTEGER NOT NULL,
        tags TEXT NOT NULL,
        properties TEXT NOT NULL,
        parent_run_id TEXT,
        owner TEXT,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        created REAL NOT NULL,
        started REAL,
        ended REAL
    );
    CREATE INDEX runs_created ON runs (created);
    CREATE INDEX runs_pipeline ON runs (pipeline_id, created);
    CREATE INDEX runs_schedule ON runs (schedule_id, created) WHERE schedule_id IS NOT NULL;
    CREATE INDEX runs_experiment ON runs (experiment, created);
    CREATE INDEX runs_parent ON runs (parent_run_id, created) WHERE parent_run_id IS NOT NULL;
    CREATE INDEX runs_waiting ON runs (created) WHERE status = 'NotStarted' AND owner IS NULL;
    CREATE INDEX runs_owned ON runs (owner) WHERE owner IS NOT NULL;
    CREATE TABLE steps (
        run_id TEXT NOT NULL REFERENCES runs (id),
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        position INTEGER NOT NULL,
        status TEXT NOT NULL,
        detail TEXT NOT NULL,
        exit_code INTEGER,
        created REAL NOT NULL,
        started REAL,
        ended REAL,
        PRIMARY KEY (run_id, id)
    ) WITHOUT ROWID;
    """
]
