-- Who is where: the rows that change with every connection, apart from those that are read with the device.

CREATE SEQUENCE registry.session_number;

-- A device's last session; no row: it never connected. Without a foreign key: its check would make
-- a first claim and a deletion wait for each other.
CREATE TABLE registry.session (
    device_id bigint PRIMARY KEY,
    number bigint NOT NULL,
    -- The gateway node that holds the device; null: it is offline.
    node text,
    -- What the last claim found; an upsert cannot return the row as it was.
    previous_number bigint,
    previous_node text,
    activated_at timestamptz,
    online_at timestamptz,
    offline_at timestamptz,
    client_address text
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX session_of_node ON registry.session (node, device_id) WHERE node IS NOT NULL;

CREATE TABLE registry.node_lease (
    node text PRIMARY KEY,
    renewed_at timestamptz NOT NULL,
    -- Its sessions were ended after its last sign of life.
    reaped boolean NOT NULL DEFAULT false,
    -- Its sessions were ended, and it has not been told.
    lapsed boolean NOT NULL DEFAULT false
);

-- Log lines, presence and closings of connections, written with the change they tell of,
-- deleted when the streams (or the node) have them. A row is a batch.
CREATE TABLE registry.told (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind smallint NOT NULL,
    -- The node that is told, where one is.
    node text,
    batch bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
