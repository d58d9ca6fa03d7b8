-- +goose Up
CREATE TABLE changes (
    id              TEXT   NOT NULL PRIMARY KEY, -- sorts by time of creation
    kind            TEXT   NOT NULL CHECK (kind IN ('meta', 'create', 'password', 'delete')),
    state           TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'sent', 'done', 'no_change', 'conflict', 'failed', 'in_doubt', 'cancelled')),
    lock_key        TEXT   CHECK (lock_key <> ''), -- what the change holds, NULL once it has let go
    account         TEXT   NOT NULL,               -- '' for a create until the account is found
    email           TEXT   NOT NULL,
    company         TEXT   NOT NULL,
    actor_issuer    TEXT   NOT NULL,
    actor_subject   TEXT   NOT NULL,
    actor_name      TEXT   NOT NULL,
    actor_email     TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    source          TEXT   NOT NULL CHECK (source IN ('page', 'bulk', 'outside')),
    submit_id       TEXT   CHECK (submit_id <> ''),
    undo_of         TEXT   REFERENCES changes (id),
    run_id          TEXT   CHECK (run_id <> ''),
    wanted          TEXT,                        -- JSON of the touched flags
    before_meta     TEXT,                        -- JSON as the API gave it
    after_meta      TEXT,                        -- JSON as it was sent
    password_before BIGINT NOT NULL,             -- the account's password time under the lock of a password change
    input_type      TEXT   NOT NULL CHECK (input_type IN ('', 'Auto', 'Custom')),
    notify          BIGINT NOT NULL CHECK (notify IN (0, 1)),
    upstream_status BIGINT NOT NULL,             -- HTTP status of the API's answer, 0 for none
    fault           TEXT   NOT NULL,
    detail          TEXT   NOT NULL,
    lease_owner     TEXT   NOT NULL,             -- the process that works on it
    lease_until     BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,             -- microseconds since 1970, here and below; 0 for never
    sent_at         BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL,
    CHECK ((finished_at = 0) = (state IN ('queued', 'running', 'sent', 'in_doubt'))),
    CHECK (state NOT IN ('sent', 'in_doubt') OR sent_at > 0),
    CHECK (lock_key IS NOT NULL OR state NOT IN ('running', 'sent')),
    CHECK (lock_key IS NULL OR state IN ('running', 'sent', 'in_doubt')),
    CHECK (kind <> 'meta' OR state NOT IN ('sent', 'in_doubt') OR (before_meta IS NOT NULL AND after_meta IS NOT NULL))
);

-- The lock: one change of an account, and one creation of an email, that is
-- under way or may still arrive.
CREATE UNIQUE INDEX changes_lock ON changes (lock_key) WHERE lock_key IS NOT NULL;

-- One submission of a form is done at most once. One that surely did nothing may
-- be tried again.
CREATE UNIQUE INDEX changes_submit_id ON changes (submit_id)
    WHERE submit_id IS NOT NULL AND state NOT IN ('failed', 'cancelled');

CREATE INDEX changes_account ON changes (account, id);
CREATE INDEX changes_unsettled ON changes (id) WHERE state IN ('running', 'sent', 'in_doubt');
CREATE INDEX changes_run ON changes (run_id, id) WHERE run_id IS NOT NULL;

-- +goose Down
DROP TABLE changes;
