-- +goose Up
-- The calls a second that all servers share: when the next one may start, and what
-- the rate fell to when the API said that it was too much (0 for never).
CREATE TABLE wave_pace (
    id         BIGINT           NOT NULL PRIMARY KEY CHECK (id = 1),
    next_at    BIGINT           NOT NULL,
    low        DOUBLE PRECISION NOT NULL,
    lowered_at BIGINT           NOT NULL
);
INSERT INTO wave_pace (id, next_at, low, lowered_at) VALUES (1, 0, 0, 0);

-- +goose Down
DROP TABLE wave_pace;
