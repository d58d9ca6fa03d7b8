-- +goose Up
-- A preview is read in numbers and a page of accounts.
ALTER TABLE bulk_items ADD COLUMN acts BIGINT NOT NULL DEFAULT 0;           -- 1 when something will be done to the account, if it is not left out
ALTER TABLE bulk_plans ADD COLUMN tally TEXT NOT NULL DEFAULT '';           -- JSON of the plan in numbers; '' while they and acts are not known: an older server made it
ALTER TABLE bulk_plans ADD COLUMN file_problems TEXT NOT NULL DEFAULT '';   -- the list below that tells what of its file is not in it, or ''
CREATE INDEX bulk_items_left_out ON bulk_items (plan_id, place) WHERE left_out = 1;

-- What was wrong with the rows of files, also of those that led to no plan.
CREATE TABLE file_problems (
    id      TEXT   NOT NULL PRIMARY KEY,
    made_at BIGINT NOT NULL,
    count   BIGINT NOT NULL,
    list    BYTEA  NOT NULL -- JSON of sentences, a line each, by gzip
);

-- +goose Down
DROP TABLE file_problems;
DROP INDEX bulk_items_left_out;
ALTER TABLE bulk_plans DROP COLUMN file_problems;
ALTER TABLE bulk_plans DROP COLUMN tally;
ALTER TABLE bulk_items DROP COLUMN acts;
