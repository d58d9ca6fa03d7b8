-- +goose Up
-- What people keep of the reseller table: its filters, order and columns under a name.
CREATE TABLE saved_views (
    id            TEXT   NOT NULL PRIMARY KEY,
    name          TEXT   NOT NULL CHECK (name <> ''),
    query         TEXT   NOT NULL,               -- parameters of the table, in their one form
    shared        BIGINT NOT NULL CHECK (shared IN (0, 1)), -- whether everyone sees it
    owner_issuer  TEXT   NOT NULL,
    owner_subject TEXT   NOT NULL,
    owner_name    TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,               -- microseconds since 1970, here and below
    changed_at    BIGINT NOT NULL
);

-- A name says which view is meant: among one's own, and among those that all see.
CREATE UNIQUE INDEX saved_views_own ON saved_views (owner_issuer, owner_subject, name) WHERE shared = 0;
CREATE UNIQUE INDEX saved_views_shared ON saved_views (name) WHERE shared = 1;

-- +goose Down
DROP TABLE saved_views;
