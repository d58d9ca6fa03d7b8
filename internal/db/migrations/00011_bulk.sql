-- +goose Up
-- What was previewed: it never changes, but for which accounts are left out.
CREATE TABLE bulk_plans (
    id             TEXT   NOT NULL PRIMARY KEY, -- sorts by time of creation
    source         TEXT   NOT NULL,
    author_issuer  TEXT   NOT NULL,
    author_subject TEXT   NOT NULL,
    author_name    TEXT   NOT NULL,
    author_email   TEXT   NOT NULL,
    reason         TEXT   NOT NULL,
    unmatched      TEXT   NOT NULL, -- JSON list of what was asked for and names no account
    of_run         TEXT   NOT NULL, -- the run that it takes back or tries again, or ''
    as_of          BIGINT NOT NULL, -- of the list that it is computed from
    created_at     BIGINT NOT NULL, -- microseconds since 1970, here and below; 0 for never
    expires_at     BIGINT NOT NULL
);

-- An account of a plan. What becomes of it in the run stands in the second half.
CREATE TABLE bulk_items (
    plan_id     TEXT   NOT NULL REFERENCES bulk_plans (id),
    place       BIGINT NOT NULL, -- from 1
    account     TEXT   NOT NULL,
    email       TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    wanted      TEXT   NOT NULL, -- JSON
    seen        TEXT   NOT NULL, -- JSON: what the person saw before the preview
    before_meta TEXT,            -- JSON as the API gave it; NULL when there is no such account
    flawed      BIGINT NOT NULL CHECK (flawed IN (0, 1)),
    undo_of     TEXT   NOT NULL, -- the change that it takes back, or ''
    left_out    BIGINT NOT NULL CHECK (left_out IN (0, 1)),
    state       TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'done', 'no_change', 'conflict', 'failed', 'in_doubt', 'cancelled')),
    change_id   TEXT   NOT NULL, -- '' while there is none
    say         TEXT   NOT NULL, -- JSON of the sentence that says why; '' for none
    claimed_by  TEXT   NOT NULL, -- the process that works on it
    claim_until BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (plan_id, place),
    UNIQUE (plan_id, account)
);
CREATE INDEX bulk_items_state ON bulk_items (plan_id, state, place);

CREATE TABLE bulk_runs (
    plan_id       TEXT   NOT NULL PRIMARY KEY REFERENCES bulk_plans (id),
    state         TEXT   NOT NULL CHECK (state IN ('running', 'paused', 'cancelled', 'done')),
    why           TEXT   NOT NULL, -- of a pause
    actor_issuer  TEXT   NOT NULL, -- who started it, and whose changes they are
    actor_subject TEXT   NOT NULL,
    actor_name    TEXT   NOT NULL,
    actor_email   TEXT   NOT NULL,
    by_name       TEXT   NOT NULL, -- who paused or cancelled it, '' when it did so itself
    reason        TEXT   NOT NULL,
    denied        BIGINT NOT NULL, -- refusals by Wave in a row
    troubles      BIGINT NOT NULL, -- times in a row that Wave was away
    not_before    BIGINT NOT NULL, -- a rest, while Wave is away
    started_at    BIGINT NOT NULL,
    finished_at   BIGINT NOT NULL
);
CREATE INDEX bulk_runs_open ON bulk_runs (plan_id) WHERE finished_at = 0;

-- +goose Down
DROP TABLE bulk_runs;
DROP TABLE bulk_items;
DROP TABLE bulk_plans;
