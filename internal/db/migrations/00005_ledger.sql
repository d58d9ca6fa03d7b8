-- +goose Up
-- The table is made anew, as SQLite cannot change a CHECK. New are: what happens
-- outside this program, a restore, and who ended a doubt.
CREATE TABLE changes_new (
    id              TEXT   NOT NULL PRIMARY KEY, -- sorts by time of creation
    kind            TEXT   NOT NULL CHECK (kind IN ('meta', 'create', 'password', 'delete', 'email')),
    state           TEXT   NOT NULL CHECK (state IN ('queued', 'running', 'sent', 'done', 'no_change', 'conflict', 'failed', 'in_doubt', 'cancelled')),
    lock_key        TEXT   CHECK (lock_key <> ''), -- what the change holds, NULL once it has let go
    account         TEXT   NOT NULL,               -- '' for a create until the account is found
    email           TEXT   NOT NULL,
    email_before    TEXT   NOT NULL,               -- of an email change
    company         TEXT   NOT NULL,
    actor_issuer    TEXT   NOT NULL,               -- '' outside, here and below
    actor_subject   TEXT   NOT NULL,
    actor_name      TEXT   NOT NULL,
    actor_email     TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    source          TEXT   NOT NULL CHECK (source IN ('page', 'bulk', 'outside')),
    submit_id       TEXT   CHECK (submit_id <> ''),
    undo_of         TEXT   REFERENCES changes_new (id),
    restore_of      TEXT   REFERENCES changes_new (id),
    run_id          TEXT   CHECK (run_id <> ''),
    wanted          TEXT,                        -- JSON of the touched flags
    before_meta     TEXT,                        -- JSON as the API gave it
    after_meta      TEXT,                        -- JSON as it was sent, or outside as the API gave it
    password_before BIGINT NOT NULL,             -- the account's password time under the lock of a password change
    input_type      TEXT   NOT NULL CHECK (input_type IN ('', 'Auto', 'Custom')),
    notify          BIGINT NOT NULL CHECK (notify IN (0, 1)),
    upstream_status BIGINT NOT NULL,             -- HTTP status of the API's answer, 0 for none
    fault           TEXT   NOT NULL,
    detail          TEXT   NOT NULL,
    decided_issuer  TEXT   NOT NULL,             -- the person who ended a doubt, '' when a reading did
    decided_subject TEXT   NOT NULL,
    decided_name    TEXT   NOT NULL,
    decided_reason  TEXT   NOT NULL,
    lease_owner     TEXT   NOT NULL,             -- the process that works on it
    lease_until     BIGINT NOT NULL,
    since_at        BIGINT NOT NULL,             -- outside: when it was not so yet; else 0
    created_at      BIGINT NOT NULL,             -- microseconds since 1970, here and below; 0 for never
    sent_at         BIGINT NOT NULL,
    finished_at     BIGINT NOT NULL,
    CHECK ((finished_at = 0) = (state IN ('queued', 'running', 'sent', 'in_doubt'))),
    CHECK (state NOT IN ('sent', 'in_doubt', 'done') OR sent_at > 0 OR source = 'outside'),
    CHECK (lock_key IS NOT NULL OR state NOT IN ('running', 'sent')),
    CHECK (lock_key IS NULL OR state IN ('running', 'sent', 'in_doubt')),
    CHECK (kind <> 'meta' OR state NOT IN ('sent', 'in_doubt') OR (before_meta IS NOT NULL AND after_meta IS NOT NULL)),
    CHECK (source <> 'outside' OR (state = 'done' AND sent_at = 0)), -- it was only seen
    CHECK (kind <> 'email' OR source = 'outside'),                   -- the API has no call for it
    CHECK (decided_issuer = '' OR (decided_reason <> '' AND state IN ('done', 'failed')))
);
INSERT INTO changes_new (id, kind, state, lock_key, account, email, email_before, company, actor_issuer, actor_subject, actor_name, actor_email,
    reason, source, submit_id, undo_of, restore_of, run_id, wanted, before_meta, after_meta, password_before, input_type, notify,
    upstream_status, fault, detail, decided_issuer, decided_subject, decided_name, decided_reason, lease_owner, lease_until, since_at,
    created_at, sent_at, finished_at)
SELECT id, kind, state, lock_key, account, email, '', company, actor_issuer, actor_subject, actor_name, actor_email,
    reason, source, submit_id, undo_of, NULL, run_id, wanted, before_meta, after_meta, password_before, input_type, notify,
    upstream_status, fault, detail, '', '', '', '', lease_owner, lease_until, 0,
    created_at, sent_at, finished_at
FROM changes ORDER BY id;
DROP TABLE changes;
ALTER TABLE changes_new RENAME TO changes;

-- The lock: one change of an account, and one creation of an email, that is
-- under way or may still arrive.
CREATE UNIQUE INDEX changes_lock ON changes (lock_key) WHERE lock_key IS NOT NULL;

-- One submission of a form is done at most once. One that surely did nothing may
-- be tried again.
CREATE UNIQUE INDEX changes_submit_id ON changes (submit_id)
    WHERE submit_id IS NOT NULL AND state NOT IN ('failed', 'cancelled');

CREATE INDEX changes_account ON changes (account, id);
CREATE INDEX changes_actor ON changes (actor_issuer, actor_subject, id);
CREATE INDEX changes_finished ON changes (finished_at);
CREATE INDEX changes_unsettled ON changes (id) WHERE state IN ('running', 'sent', 'in_doubt');
CREATE INDEX changes_run ON changes (run_id, id) WHERE run_id IS NOT NULL;

-- The flags that a change is about, so that the history of one flag is quick.
CREATE TABLE change_flags (
    flag      TEXT NOT NULL,
    change_id TEXT NOT NULL REFERENCES changes (id),
    PRIMARY KEY (flag, change_id)
);

-- Each account as it was last known to be: by a list, or by a change of ours. What
-- a later list shows otherwise was done outside. A row with account '' says that
-- all accounts have been seen once.
CREATE TABLE known_accounts (
    account  TEXT   NOT NULL PRIMARY KEY,
    email    TEXT   NOT NULL,
    company  TEXT   NOT NULL,
    meta     TEXT   NOT NULL, -- JSON
    known_at BIGINT NOT NULL, -- when that was so: the end of the list, or of the change
    known_by TEXT   NOT NULL, -- the process whose clock that is
    gone     BIGINT NOT NULL CHECK (gone IN (0, 1)) -- a list of before known_at may still show it
);

-- +goose Down
-- The wider table serves the steps before as well.
DROP TABLE known_accounts;
DROP TABLE change_flags;
