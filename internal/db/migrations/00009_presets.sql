-- +goose Up
-- Named sets of flags. What they say is in preset_versions; a preset that was
-- deleted keeps its versions.
CREATE TABLE presets (
    id         TEXT   NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL CHECK (version >= 1), -- the one that counts
    name_key   TEXT   NOT NULL,                      -- the name of that version, folded
    deleted_at BIGINT NOT NULL                       -- microseconds since 1970, 0 for never
);
CREATE UNIQUE INDEX presets_name ON presets (name_key) WHERE deleted_at = 0;

CREATE TABLE preset_versions (
    preset     TEXT   NOT NULL REFERENCES presets (id),
    version    BIGINT NOT NULL CHECK (version >= 1),
    name       TEXT   NOT NULL,
    note       TEXT   NOT NULL,
    flags      TEXT   NOT NULL, -- JSON of the flags that it specifies
    by_issuer  TEXT   NOT NULL,
    by_subject TEXT   NOT NULL,
    by_name    TEXT   NOT NULL,
    by_email   TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    PRIMARY KEY (preset, version)
);

-- Which preset an account is to follow. The one that is built in has no row in
-- presets, so this refers to none. The row of an account that is gone stays.
CREATE TABLE preset_assignments (
    account     TEXT   NOT NULL PRIMARY KEY,
    preset      TEXT   NOT NULL,
    version     BIGINT NOT NULL, -- of the preset, at that time
    by_issuer   TEXT   NOT NULL,
    by_subject  TEXT   NOT NULL,
    by_name     TEXT   NOT NULL,
    by_email    TEXT   NOT NULL,
    assigned_at BIGINT NOT NULL
);
CREATE INDEX preset_assignments_preset ON preset_assignments (preset);

-- The one row about all of these: how often they were changed, so that a server
-- sees whether what it has in memory is still so, and which preset new accounts
-- begin with.
CREATE TABLE preset_book (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT NOT NULL,
    for_new    TEXT   NOT NULL
);
INSERT INTO preset_book (id, generation, for_new) VALUES (1, 0, 'defaults');

-- +goose Down
DROP TABLE preset_book;
DROP TABLE preset_assignments;
DROP TABLE preset_versions;
DROP TABLE presets;
