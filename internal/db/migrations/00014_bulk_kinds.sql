-- +goose Up
ALTER TABLE bulk_plans ADD COLUMN kind TEXT NOT NULL DEFAULT 'flags';
ALTER TABLE bulk_plans ADD COLUMN problems TEXT NOT NULL DEFAULT '[]'; -- JSON list of sentences: what was asked for and cannot be done
ALTER TABLE bulk_plans ADD COLUMN version BIGINT NOT NULL DEFAULT 0;   -- steps when accounts are left out, and when it is run

-- The tables below are made anew, as SQLite cannot change a CHECK. Accounts that are
-- to be created have no id yet. A claim lasts as long as the slice that made it holds
-- the run.
CREATE TABLE bulk_items_new (
    plan_id     TEXT   NOT NULL REFERENCES bulk_plans (id),
    place       BIGINT NOT NULL, -- from 1
    account     TEXT   NOT NULL, -- '' for one that is to be created, until it is
    email       TEXT   NOT NULL,
    group_name  TEXT   NOT NULL,
    wanted      TEXT   NOT NULL, -- JSON
    seen        TEXT   NOT NULL, -- JSON: what the person saw before the preview
    issue       TEXT   NOT NULL, -- JSON of the account that is to be created, or ''
    before_meta TEXT,            -- JSON as the API gave it; NULL when there is no such account
    flawed      BIGINT NOT NULL CHECK (flawed IN (0, 1)),
    undo_of     TEXT   NOT NULL, -- the change that it takes back, or ''
    left_out    BIGINT NOT NULL CHECK (left_out IN (0, 1)),
    state       TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'done', 'no_change', 'conflict', 'failed', 'in_doubt', 'cancelled')),
    change_id   TEXT   NOT NULL, -- the last one; '' while there is none
    say         TEXT   NOT NULL, -- JSON of the sentence that says why; '' for none
    claimed_by  TEXT   NOT NULL, -- the slice that works on it
    finished_at BIGINT NOT NULL,
    PRIMARY KEY (plan_id, place)
);
INSERT INTO bulk_items_new (plan_id, place, account, email, group_name, wanted, seen, issue, before_meta, flawed, undo_of, left_out,
    state, change_id, say, claimed_by, finished_at)
SELECT plan_id, place, account, email, group_name, wanted, seen, '', before_meta, flawed, undo_of, left_out,
    state, change_id, say, claimed_by, finished_at
FROM bulk_items ORDER BY plan_id, place;
DROP TABLE bulk_items;
ALTER TABLE bulk_items_new RENAME TO bulk_items;
CREATE INDEX bulk_items_by_state ON bulk_items (plan_id, state, place);
CREATE UNIQUE INDEX bulk_items_account ON bulk_items (plan_id, account) WHERE account <> '';
CREATE INDEX bulk_items_finished ON bulk_items (plan_id, finished_at);

CREATE TABLE bulk_runs_new (
    plan_id          TEXT   NOT NULL PRIMARY KEY REFERENCES bulk_plans (id),
    state            TEXT   NOT NULL CHECK (state IN ('waiting', 'scheduled', 'running', 'paused', 'cancelled', 'done')),
    why              TEXT   NOT NULL, -- of a pause, or of an end that nobody asked for
    moved            BIGINT NOT NULL, -- accounts that were not as previewed any more when that was looked at last
    actor_issuer     TEXT   NOT NULL, -- who started it, and whose changes they are
    actor_subject    TEXT   NOT NULL,
    actor_name       TEXT   NOT NULL,
    actor_email      TEXT   NOT NULL,
    approver_issuer  TEXT   NOT NULL, -- '' for none
    approver_subject TEXT   NOT NULL,
    approver_name    TEXT   NOT NULL,
    approver_email   TEXT   NOT NULL,
    approved_at      BIGINT NOT NULL,
    by_name          TEXT   NOT NULL, -- who paused or cancelled it, '' when it did so itself
    reason           TEXT   NOT NULL,
    denied           BIGINT NOT NULL, -- refusals by Wave in a row
    troubles         BIGINT NOT NULL, -- times in a row that Wave was away
    not_before       BIGINT NOT NULL, -- a rest, while Wave is away
    apply_at         BIGINT NOT NULL, -- 0 for at once
    slice            TEXT   NOT NULL, -- what works on it, '' for nothing
    slice_until      BIGINT NOT NULL, -- without a sign of life
    asked_at         BIGINT NOT NULL,
    started_at       BIGINT NOT NULL, -- 0 while it waits for its time or for someone
    finished_at      BIGINT NOT NULL
);
INSERT INTO bulk_runs_new (plan_id, state, why, moved, actor_issuer, actor_subject, actor_name, actor_email,
    approver_issuer, approver_subject, approver_name, approver_email, approved_at,
    by_name, reason, denied, troubles, not_before, apply_at, slice, slice_until, asked_at, started_at, finished_at)
SELECT plan_id, state, why, 0, actor_issuer, actor_subject, actor_name, actor_email, '', '', '', '', 0,
    by_name, reason, denied, troubles, not_before, 0, '', 0, started_at, started_at, finished_at
FROM bulk_runs ORDER BY plan_id;
DROP TABLE bulk_runs;
ALTER TABLE bulk_runs_new RENAME TO bulk_runs;
CREATE INDEX bulk_runs_under_way ON bulk_runs (plan_id) WHERE finished_at = 0;

-- +goose Down
-- The wider tables serve the steps before as well, but for what only they can hold.
DELETE FROM bulk_items WHERE plan_id IN (SELECT id FROM bulk_plans WHERE kind <> 'flags');
DELETE FROM bulk_runs WHERE state IN ('waiting', 'scheduled') OR plan_id IN (SELECT id FROM bulk_plans WHERE kind <> 'flags');
DELETE FROM bulk_plans WHERE kind <> 'flags';
ALTER TABLE bulk_items ADD COLUMN claim_until BIGINT NOT NULL DEFAULT 0;
