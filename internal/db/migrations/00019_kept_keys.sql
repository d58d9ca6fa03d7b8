-- +goose Up
-- The key of each person for what their browsers keep. It is made once and stays, so that
-- what is kept outlives sessions and the secrets of the servers.
CREATE TABLE kept_keys (
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    secret  TEXT   NOT NULL, -- 256 random bits in base64
    made_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- +goose Down
DROP TABLE kept_keys;
