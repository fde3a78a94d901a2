-- One row for each (message, emitter): its lines, packed. A day is a partition, by the
-- time in the message id (a UUIDv7); `work/days.rs` makes and drops the days.
CREATE TABLE devicelog.entry (
    message_id uuid NOT NULL,
    -- First 8 bytes of a SHA-256 (`domain/key.rs`), so that no dictionary is needed.
    product bigint NOT NULL,
    device bigint NOT NULL,
    -- Times of the earliest and the latest of the lines.
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    part integer NOT NULL,
    -- Which (type, status) the lines have: bits 0-3 successes, bits 4-7 failures.
    marks smallint NOT NULL,
    -- A line is so far from the message's own time that time filters look for it apart.
    stray boolean NOT NULL,
    lines bytea NOT NULL,
    PRIMARY KEY (message_id, part)
) PARTITION BY RANGE (message_id);

CREATE INDEX entry_device ON devicelog.entry (device, message_id, part);
CREATE INDEX entry_product ON devicelog.entry (product, message_id, part);
CREATE INDEX entry_failed ON devicelog.entry (product, message_id, part) WHERE marks & 240 <> 0;
CREATE INDEX entry_stray ON devicelog.entry (product, message_id, part) WHERE stray;

-- Ids of days that are not kept (a clock that is wrong, an answer after weeks): never lost.
CREATE TABLE devicelog.entry_other PARTITION OF devicelog.entry DEFAULT;
