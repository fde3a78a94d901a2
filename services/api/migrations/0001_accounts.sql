-- Accounts, their users and tokens, the audit trail, and what is still to be told.

CREATE TABLE api.account (
    id         uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

-- Roles: 1 VIEWER, 2 OPERATOR, 3 ADMIN.
CREATE TABLE api."user" (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES api.account,
    name       text NOT NULL,
    role       integer NOT NULL CHECK (role BETWEEN 1 AND 3),
    created_at timestamptz NOT NULL,
    UNIQUE (account_id, name)
);
CREATE INDEX user_page ON api."user" (account_id, created_at DESC, id DESC);

CREATE TABLE api.token (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES api.account,
    user_id      uuid NOT NULL REFERENCES api."user" ON DELETE CASCADE,
    name         text NOT NULL,
    role         integer NOT NULL CHECK (role BETWEEN 1 AND 3),
    -- SHA-256 of the token, which itself is nowhere stored.
    hash         bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX token_page ON api.token (account_id, created_at DESC, id DESC);
CREATE INDEX token_user ON api.token (user_id);

-- Who changed what, in all services. `id` is the event's, so that each is taken once.
CREATE TABLE api.audit (
    id         uuid PRIMARY KEY,
    account_id text NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    -- JSON, kept as the text that it came as; empty: there was none.
    before     text NOT NULL,
    after      text NOT NULL
);
CREATE INDEX audit_page ON api.audit (account_id, at DESC, id DESC);
CREATE INDEX audit_subject ON api.audit (account_id, subject text_pattern_ops);

CREATE TABLE api.outbox (
    id      uuid PRIMARY KEY,
    event   bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
