-- What a stand-in was told about itself (its clock, scripted operations, faults), so that a restart goes on from there.
-- Empty in production.

create table standin_setting (
  name text primary key,
  -- JSON. Text, not jsonb: the database never looks inside, and jsonb refuses some characters that a test may have sent.
  value text not null
);
