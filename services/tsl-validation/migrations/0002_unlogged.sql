-- Commands whose lines are not known to be on their stream: a pod that dies between sending a command and
-- telling of it leaves them here, and another tells them.
CREATE TABLE thing.unlogged (
    message_id  uuid PRIMARY KEY,
    topic       text NOT NULL,
    iot_id      text NOT NULL,
    params      text NOT NULL,
    -- The version that judged it.
    tsl_version integer,
    -- Moved on by the pod that has it in hand; after this nobody has.
    due_at      timestamptz NOT NULL
);
CREATE INDEX unlogged_due ON thing.unlogged (due_at);
