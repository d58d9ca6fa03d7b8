-- +goose Up
-- So that a page of changes is quick whatever it is filtered by, also where few or
-- none are found.
CREATE INDEX changes_kind ON changes (kind, id);
CREATE INDEX changes_state ON changes (state, id);
CREATE INDEX changes_outside ON changes (id) WHERE source = 'outside';

-- The search for a text reads this from end to end. It has a tenth of what the rows
-- have, and what a search is often narrowed by.
CREATE INDEX changes_text ON changes (id, email, email_before, account, kind, state, created_at);

-- +goose Down
DROP INDEX changes_kind;
DROP INDEX changes_state;
DROP INDEX changes_outside;
DROP INDEX changes_text;
