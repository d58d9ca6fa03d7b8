-- +goose Up
-- What a session says of itself. A row that an older server made lacks these, so its
-- role is asked for again at once.
ALTER TABLE sessions ADD COLUMN auth_time BIGINT NOT NULL DEFAULT 0;  -- when the person proved to the provider who they are; 0 when it did not say
ALTER TABLE sessions ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0; -- when the provider last said what role the person has
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';     -- of the client, when it was last seen
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';       -- what the browser calls itself

-- People of whom a session was ended by someone else than themselves, or who are no
-- editors, and who were not let in as one since: what they left behind is not to go on.
CREATE TABLE ended_people (
    issuer   TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX ended_people_ended_at ON ended_people (ended_at);

-- +goose Down
DROP TABLE ended_people;
ALTER TABLE sessions DROP COLUMN agent;
ALTER TABLE sessions DROP COLUMN address;
ALTER TABLE sessions DROP COLUMN checked_at;
ALTER TABLE sessions DROP COLUMN auth_time;
