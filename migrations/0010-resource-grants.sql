-- Whose access tokens may use a resource: what a role assignment is to the original. An access key needs none.
create table resource_grant (
  resource_id uuid not null references resource,
  -- As tokens name their caller: the client id of a program, or `user/` and the id that its issuer knows a person by.
  client_id text collate "C" not null check (length(client_id) between 1 and 261),
  -- Whose tokens: as they say it in `iss`, 'built-in' for Linebook's own issuer, '' for every issuer that is trusted.
  issuer text collate "C" not null,
  created_at timestamptz not null,
  primary key (resource_id, client_id, issuer)
);
