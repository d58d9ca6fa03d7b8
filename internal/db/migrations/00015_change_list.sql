-- +goose Up
-- When Wave was asked for the list on which a write rests, in microseconds since 1970;
-- 0 while nothing was sent, and for changes of before.
ALTER TABLE changes ADD COLUMN listed_at BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE changes DROP COLUMN listed_at;
