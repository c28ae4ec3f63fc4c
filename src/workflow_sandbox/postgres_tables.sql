-- The same tables as SQLite's, and who executes what. They lie in the first schema of the connection's search_path.
CREATE TABLE workflow_sandbox (tables_version INTEGER NOT NULL);
INSERT INTO workflow_sandbox VALUES (2);
-- A process's row. It is alive as long as its session holds the advisory lock of this table and number.
CREATE TABLE workers (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
CREATE TABLE runs (
    -- Beyond 32 bits, so that a caller who keeps ids in an int32 is found out.
    id BIGINT GENERATED ALWAYS AS IDENTITY (START WITH 5000000001) PRIMARY KEY,
    workflow TEXT NOT NULL,
    version BIGINT NOT NULL,
    input_variables TEXT NOT NULL,
    metadata TEXT NOT NULL,
    return_all_outputs BOOLEAN NOT NULL,
    worker INTEGER NOT NULL DEFAULT current_setting('workflow_sandbox.worker')::INTEGER
);
CREATE TABLE nodes (
    run_id BIGINT NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_output BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    value TEXT NOT NULL DEFAULT 'null',
    error_message TEXT NOT NULL DEFAULT 'null',
    raw_error_message TEXT NOT NULL DEFAULT 'null',
    ended INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, position)
);
CREATE INDEX unfinished_nodes ON nodes (run_id) WHERE status IN ('QUEUED', 'RUNNING');
CREATE TABLE callbacks (
    run_id BIGINT PRIMARY KEY REFERENCES runs (id),
    url TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT
);
CREATE INDEX pending_callbacks ON callbacks (run_id) WHERE state = 'pending';
CREATE TABLE conversations (
    workflow_run_id TEXT PRIMARY KEY,
    document TEXT NOT NULL
);
-- Free texts have hash indexes: a B-tree takes no entry of more than 2,704 bytes.
CREATE TABLE workflows (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    EXCLUDE USING hash (name WITH =)
);
CREATE TABLE versions (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id BIGINT NOT NULL REFERENCES workflows (id),
    number BIGINT NOT NULL,
    document TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (workflow_id, number)
);
CREATE TABLE labels (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id BIGINT NOT NULL REFERENCES workflows (id),
    label TEXT NOT NULL,
    number BIGINT NOT NULL
);
CREATE INDEX labels_of_workflow ON labels (workflow_id);
CREATE TABLE external_ids (
    source TEXT NOT NULL,
    external_id TEXT NOT NULL,
    workflow_id BIGINT NOT NULL REFERENCES workflows (id),
    rowid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE INDEX external_ids_by_id ON external_ids USING hash (external_id);
CREATE INDEX external_ids_of_workflow ON external_ids (workflow_id);
CREATE TABLE holds (
    id TEXT PRIMARY KEY,
    workflow TEXT,
    run TEXT,
    node TEXT,
    status TEXT NOT NULL,
    worker INTEGER NOT NULL DEFAULT current_setting('workflow_sandbox.worker')::INTEGER
);
CREATE TABLE held (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hold_id TEXT NOT NULL,
    run_id BIGINT NOT NULL,
    UNIQUE (hold_id, run_id)
);
