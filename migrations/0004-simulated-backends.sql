-- What the simulated backends of a stand-in remember, so that they survive a restart and are the same for all processes.

-- Documents of src/backends/simulated/documents.ts: numbers, tenants, consents and so on. Text, not jsonb: the database
-- never looks inside, and jsonb refuses some characters that a client may have sent.
create table simulated_document (
  -- A service's code, or `teams` for what Operator Connect and Teams Phone Mobile share.
  scope text not null,
  kind text not null,
  key text collate "C" not null,
  content text not null,
  primary key (scope, kind, key)
);

-- The newest calls that each simulated backend received.
create table simulated_call (
  id bigint generated always as identity,
  scope text not null,
  item_count integer not null,
  content text not null,
  primary key (scope, id)
);
