"""The tables of the engine. A script that was released is never edited: changes are further scripts.

``owners``     the living kernels on this file; ``beat`` counts up every two seconds
``cursors``    one row a schedule: a time schedule is decided up to ``at``; a change schedule has been looked for at
               ``location`` since ``at``. ``paused`` is when it was noticed that it is not active (NULL while it is)
``locations``  one row a watched place; ``generation`` counts the looks that changed anything, 0 = never looked at;
               ``names``: what is gone must have a name; ``append_only``: what is new sorts after what is there
``objects``    what the last look saw there, by name
``pages``      the same where a datastore lists in pages: some thousand objects a row (``packing``)
``pending``    changes that have not fired, for each schedule; ``since`` is when that version was first seen, ``size``
               what it has of bytes, ``turn`` when one that is carried over may fire
``fires``      every decision; ``key`` is what makes it happen once
``bursts``     schedules (JSON, ids) of which everything until ``at`` is decided as of then, though not written
               out yet; they were first seen to be due at ``seen``
``polls``      the newest looks at each location; ``matched`` is JSON, the changes that count by schedule, empty when
               there are none and NULL where all counted; ``lateness`` is from due to begun, in seconds
"""

from __future__ import annotations

__all__ = ["SCHEMA"]

SCHEMA = (
    """
    CREATE TABLE owners (owner TEXT PRIMARY KEY, beat INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID;

    CREATE TABLE cursors (schedule_id TEXT PRIMARY KEY, at REAL NOT NULL, paused REAL, location INTEGER) WITHOUT ROWID;

    CREATE TABLE locations (
        id INTEGER PRIMARY KEY, datastore TEXT NOT NULL, path TEXT NOT NULL, recursive INTEGER NOT NULL,
        generation INTEGER NOT NULL DEFAULT 0,
        UNIQUE (datastore, path, recursive)
    );

    CREATE TABLE objects (
        location INTEGER NOT NULL, name TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL,
        modified REAL NOT NULL,
        PRIMARY KEY (location, name)
    ) WITHOUT ROWID;

    CREATE TABLE pending (
        location INTEGER NOT NULL, schedule_id TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        etag TEXT NOT NULL, since REAL NOT NULL,
        PRIMARY KEY (location, schedule_id, name)
    ) WITHOUT ROWID;

    CREATE TABLE fires (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, schedule_id TEXT NOT NULL, reason TEXT NOT NULL,
        decided REAL NOT NULL, due REAL, objects TEXT NOT NULL, outcome TEXT NOT NULL, run_id TEXT, detail TEXT NOT NULL
    );
    CREATE INDEX fires_of_schedule ON fires (schedule_id, outcome);

    CREATE TABLE polls (
        id INTEGER PRIMARY KEY, location INTEGER NOT NULL, at REAL NOT NULL, took REAL NOT NULL,
        objects INTEGER NOT NULL, added INTEGER NOT NULL, modified INTEGER NOT NULL, removed INTEGER NOT NULL,
        fired INTEGER NOT NULL, error TEXT NOT NULL
    );
    CREATE INDEX polls_of_location ON polls (location, at);
    """,
    """
    CREATE TABLE places (
        id INTEGER PRIMARY KEY, datastore TEXT NOT NULL, path TEXT NOT NULL, recursive INTEGER NOT NULL,
        names INTEGER NOT NULL DEFAULT 0, append_only INTEGER NOT NULL DEFAULT 0,
        generation INTEGER NOT NULL DEFAULT 0,
        UNIQUE (datastore, path, recursive, names, append_only)
    );
    INSERT INTO places (id, datastore, path, recursive, generation)
        SELECT id, datastore, path, recursive, generation FROM locations;
    DROP TABLE locations;
    ALTER TABLE places RENAME TO locations;

    ALTER TABLE pending ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE pending ADD COLUMN turn REAL NOT NULL DEFAULT 0;

    ALTER TABLE polls ADD COLUMN matched TEXT;
    ALTER TABLE polls ADD COLUMN lateness REAL NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE pages (
        location INTEGER NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (location, key)
    );
    """,
    """
    CREATE TABLE bursts (id INTEGER PRIMARY KEY, at REAL NOT NULL, seen REAL NOT NULL, schedules TEXT NOT NULL);
    """,
)
