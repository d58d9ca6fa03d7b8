-- +goose Up
-- Who has unsaved edits on an account, so that others can see it. It locks
-- nothing, and a row that is older than a minute means nothing.
CREATE TABLE presence (
    account  TEXT   NOT NULL,
    issuer   TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    since_at BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (account, issuer, subject)
);

-- +goose Down
DROP TABLE presence;
