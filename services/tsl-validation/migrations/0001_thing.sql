-- The draft of a product's thing model, and which of its versions judges.
CREATE TABLE thing.model (
    product_key  text PRIMARY KEY,
    draft        text NOT NULL,
    -- 0: nothing is published.
    published    integer NOT NULL DEFAULT 0,
    -- The database's own time of the last publication: pods ask what changed since.
    published_at timestamptz
);
CREATE INDEX model_published_at ON thing.model (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE thing.model_version (
    product_key  text NOT NULL,
    version      integer NOT NULL,
    document     text NOT NULL,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    PRIMARY KEY (product_key, version)
);

-- The latest values of one device, packed by the service: one narrow row that changes often.
CREATE TABLE thing.latest (
    device_id bigint PRIMARY KEY,
    packed    bytea NOT NULL
) WITH (fillfactor = 50);

-- Events that devices raised. `position` counts the events of one message.
CREATE TABLE thing.event (
    message_id  uuid NOT NULL,
    position    integer NOT NULL,
    device_id   bigint NOT NULL,
    identifier  text NOT NULL,
    kind        smallint NOT NULL,
    data        text NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, position)
);
CREATE INDEX event_of_device ON thing.event (device_id, reported_at DESC, message_id DESC, position DESC);

-- Ids of requests on the wire: unique among all that can be pending.
CREATE SEQUENCE thing.wire_id AS bigint MINVALUE 1 MAXVALUE 4294967295 CYCLE;
-- Ids of synchronous calls: never used twice.
CREATE SEQUENCE thing.rrpc_id AS bigint MINVALUE 1;

-- Sets and calls sent to devices, until their answer is of no use to anyone.
CREATE TABLE thing.command (
    message_id  uuid PRIMARY KEY,
    account_id  text NOT NULL,
    product_key text NOT NULL,
    device_name text NOT NULL,
    device_id   bigint NOT NULL,
    wire_id     bigint NOT NULL,
    -- Set for a synchronous call.
    rrpc_id     bigint UNIQUE,
    method      text NOT NULL,
    -- The pod that waits for the answer.
    node        text NOT NULL,
    made_at     timestamptz NOT NULL,
    -- An answer that comes later is late.
    expires_at  timestamptz NOT NULL,
    -- Answered, given up, refused by the device's link, or expired.
    ended_at    timestamptz,
    -- The message that answered; nothing if it ended without.
    answer_id   uuid,
    code        integer,
    message     text,
    data        text,
    UNIQUE (device_id, wire_id)
) WITH (fillfactor = 70);
CREATE INDEX command_open ON thing.command (expires_at) WHERE ended_at IS NULL;

CREATE TABLE thing.outbox (
    id          uuid PRIMARY KEY,
    event       bytea NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT now()
);
