-- +goose Up
CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY, -- hex SHA-256 of the id in the cookie
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    sid        TEXT   NOT NULL, -- the provider's own session id, or empty
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    role       TEXT   NOT NULL, -- viewer or editor
    id_token   TEXT   NOT NULL, -- sealed, for the hint at sign-out; or empty
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL, -- last activity, to the minute
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);
CREATE INDEX sessions_person ON sessions (issuer, subject);

-- Sign-in attempts whose callback came, so that none is used twice.
CREATE TABLE used_logins (
    state      TEXT   NOT NULL PRIMARY KEY, -- hex SHA-256 of the state
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_logins_expires_at ON used_logins (expires_at);

-- +goose Down
DROP TABLE used_logins;
DROP TABLE sessions;
