-- +goose Up
-- Which preset an account that is being created is to follow, by the mark of its
-- submission: the account has no id until Wave lists it. A row goes when that was done,
-- or cannot be.
CREATE TABLE preset_promises (
    submit_id  TEXT   NOT NULL PRIMARY KEY,
    preset     TEXT   NOT NULL,
    by_issuer  TEXT   NOT NULL,
    by_subject TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    by_email   TEXT   NOT NULL,
    made_at    BIGINT NOT NULL -- microseconds since 1970
);

-- +goose Down
DROP TABLE preset_promises;
