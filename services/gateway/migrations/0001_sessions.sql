-- What is kept for devices whose session outlives their connection.

CREATE TABLE gateway.session (
    device_id bigint PRIMARY KEY,
    -- The registry's number of the connection that holds it, or held it last.
    number bigint NOT NULL,
    -- `_ss=1` of that connection, and whether its `ext` has bit 0.
    automatic boolean NOT NULL,
    understands_ext boolean NOT NULL,
    -- Subscribed filters, and the QoS granted to each.
    filters text[] NOT NULL DEFAULT '{}',
    qos smallint[] NOT NULL DEFAULT '{}',
    -- Pushed forward while the device is connected.
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX session_expiry ON gateway.session (expires_at);

CREATE TABLE gateway.message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id bigint NOT NULL REFERENCES gateway.session ON DELETE CASCADE,
    message_id bytea NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    -- Sent before without an acknowledgement: goes out with DUP.
    was_sent boolean NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX message_of_device ON gateway.message (device_id, id);
CREATE INDEX message_expiry ON gateway.message (expires_at);
