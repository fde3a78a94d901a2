-- Who is who: products and devices.

CREATE TABLE registry.product (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_key text COLLATE "C" NOT NULL UNIQUE,
    account_id text NOT NULL,
    name text NOT NULL,
    node_type smallint NOT NULL,
    data_format smallint NOT NULL,
    edition smallint NOT NULL,
    -- Sealed with the master key.
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX product_of_account ON registry.product (account_id, id DESC);

CREATE TABLE registry.device (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES registry.product,
    name text COLLATE "C" NOT NULL,
    iot_id text NOT NULL,
    -- Sealed with the master key.
    secret bytea NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    -- Grows with every change of secret or state: a claim that was judged by an older one is judged again.
    revision integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    UNIQUE (product_id, name)
);

CREATE INDEX device_of_product ON registry.device (product_id, id DESC);

-- Every change, until it is told on EVENT.
CREATE TABLE registry.outbox (
    id uuid PRIMARY KEY,
    event bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
