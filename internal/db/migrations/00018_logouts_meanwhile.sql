-- +goose Up
-- A used logout token also says whose sessions it ends, for a sign-in that is under way
-- when it comes. A sign-in attempt has none of these.
ALTER TABLE used_logins ADD COLUMN issuer TEXT NOT NULL DEFAULT '';
ALTER TABLE used_logins ADD COLUMN subject TEXT NOT NULL DEFAULT '';    -- or empty, for whoever has the session
ALTER TABLE used_logins ADD COLUMN sid TEXT NOT NULL DEFAULT '';        -- the provider's session, or empty for all of the subject
ALTER TABLE used_logins ADD COLUMN issued_at BIGINT NOT NULL DEFAULT 0; -- when the provider made the token, by its clock
ALTER TABLE used_logins ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;   -- when it came here
-- Each sign-in looks for the few logouts among what may be many attempts.
CREATE INDEX used_logins_issuer ON used_logins (issuer);

-- +goose Down
DROP INDEX used_logins_issuer;
ALTER TABLE used_logins DROP COLUMN used_at;
ALTER TABLE used_logins DROP COLUMN issued_at;
ALTER TABLE used_logins DROP COLUMN sid;
ALTER TABLE used_logins DROP COLUMN subject;
ALTER TABLE used_logins DROP COLUMN issuer;
