-- The tables of version 4; an older file has some of them already. A text that a caller chose freely is ASCII JSON.
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    input_variables TEXT NOT NULL,
    metadata TEXT NOT NULL,
    return_all_outputs INTEGER NOT NULL
);
-- Ids begin beyond 32 bits, so that a caller who keeps them in an int32 is found out.
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'runs', 5000000000 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'runs');
CREATE TABLE IF NOT EXISTS nodes (
    run_id INTEGER NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_output INTEGER NOT NULL,
    status TEXT NOT NULL,
    value TEXT NOT NULL DEFAULT 'null',
    error_message TEXT NOT NULL DEFAULT 'null',
    raw_error_message TEXT NOT NULL DEFAULT 'null',
    ended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS callbacks (
    run_id INTEGER PRIMARY KEY REFERENCES runs (id),
    url TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT
);
CREATE INDEX IF NOT EXISTS pending_callbacks ON callbacks (run_id) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS conversations (
    workflow_run_id TEXT PRIMARY KEY,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS workflows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    number INTEGER NOT NULL,
    document TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (workflow_id, number)
);
CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    label TEXT NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (workflow_id, label)
);
CREATE TABLE IF NOT EXISTS external_ids (
    source TEXT NOT NULL,
    external_id TEXT NOT NULL,
    workflow_id INTEGER NOT NULL REFERENCES workflows (id),
    UNIQUE (source, external_id)
);
PRAGMA application_id = 0x77667362; -- "wfsb": another program's file is refused, not written to
PRAGMA user_version = 4;
