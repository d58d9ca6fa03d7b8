-- +goose Up
CREATE TABLE audit_events (
    seq            BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0), -- 1, 2, 3 and so on without a gap
    at             BIGINT NOT NULL,                             -- microseconds since 1970
    kind           TEXT   NOT NULL,
    actor_issuer   TEXT   NOT NULL, -- '' for the program itself and for strangers
    actor_subject  TEXT   NOT NULL,
    actor_name     TEXT   NOT NULL,
    account        TEXT   NOT NULL,
    change_id      TEXT   NOT NULL,
    request_id     TEXT   NOT NULL,
    remote_address TEXT   NOT NULL,
    details        TEXT   NOT NULL, -- a JSON object
    key_id         TEXT   NOT NULL, -- of the key of mac
    prev_mac       TEXT   NOT NULL, -- mac of the row before, '' in the first
    mac            TEXT   NOT NULL  -- hex HMAC-SHA256 of all the columns above
);

-- +goose Down
DROP TABLE audit_events;
