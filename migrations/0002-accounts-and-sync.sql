-- The Provisioning API: accounts, the numbers on them, and what their backends have still to be told.

-- A number resting after it left an account may be put on an account again (the operator moves its own numbers); only
-- buyers wait for the end of the rest.
alter table number add column left_account boolean not null default false;
alter table number add constraint number_left_account check (not left_account or state = 'quarantined');

-- An operator's customer. A removed account keeps its row until its last number has left its backends.
create table account (
  id uuid primary key,
  name text collate "C" not null check (name ~ '^[A-Za-z0-9_-]{1,100}$'),
  correlation_id text check (length(correlation_id) between 1 and 256),
  teams_tenant_id text check (length(teams_tenant_id) between 1 and 100),
  -- The services as they were put, with defaults filled in: {"teamsOperatorConnect": {"syncEnabled", "enabled"}, …}.
  services jsonb not null,
  created_at timestamptz not null,
  -- When a client last put it; what If-Unmodified-Since of a write is compared with.
  modified_at timestamptz not null,
  removed_at timestamptz
);
create unique index account_name on account (name) where removed_at is null;
-- The accounts of a Teams tenant, for requests for information.
create index account_tenant on account (lower(teams_tenant_id collate "C"), name)
  where removed_at is null and teams_tenant_id is not null;
create unique index account_subdomain on account (lower(services #>> '{teamsDirectRouting,configuration,subdomain}'))
  where removed_at is null;

-- How many numbers of an account use each service. An account's counts are spread over slots, so that writers of
-- different numbers seldom meet; the count is the sum.
create table account_number_count (
  account_id uuid not null references account on delete cascade,
  slot smallint not null,
  total bigint not null,
  oc bigint not null,
  tpm bigint not null,
  dr bigint not null,
  zoom bigint not null,
  aocp bigint not null,
  changed_at timestamptz not null,
  primary key (account_id, slot)
);

-- A number on an account. A removed one keeps its row until its backends have released it.
create table account_number (
  e164 text collate "C" primary key references number,
  account_id uuid not null references account,
  -- As it was put, with defaults filled in: {"serviceDetails": {…}, "configuration": {…}}.
  details jsonb not null,
  modified_at timestamptz not null,
  removed_at timestamptz
);
-- Pages of an account's numbers, read from the index alone; and all that is left of a removed account.
create index account_number_order on account_number (account_id, e164) include (removed_at);

-- What the operator has said about a request for information; laid over what the backend says until it says the same.
create table consent_change (
  -- Lower case.
  tenant_id text primary key,
  status text,
  comment text,
  modified_at timestamptz not null
);

-- What a backend is to be told of one thing: an account (key: its id), a number (E.164), a consent (its tenant) or the
-- DNS records of a subdomain (its label). Desired is `generation`, told and taken is `confirmed_generation`; while they
-- differ and nothing is refused, the reconciler works on it.
-- Generations are counted for all things together: one that is forgotten and comes back never repeats a generation, nor
-- the idempotency keys made of it. `sync_sequence` numbers the commands, so that a backend can drop one that comes late.
create sequence sync_generation;
create sequence sync_sequence;

create table sync (
  kind text not null check (kind in ('account', 'number', 'consent', 'subdomain')),
  key text collate "C" not null,
  service text not null check (service in ('oc', 'tpm', 'dr', 'zoom', 'aocp', 'dns')),
  account_id uuid,
  -- Whether the backend is to have it or not.
  goal text not null check (goal in ('present', 'absent')),
  generation bigint not null check (generation > 0),
  confirmed_generation bigint not null default 0,
  -- The backend's refusal of `generation`: [{"code", "message", "target"}].
  refusal jsonb,
  -- What the backend may hold of it; written before it is told, so that a lost answer leaves nothing behind.
  placed jsonb,
  -- The backend's own reference of a job under way.
  ticket text,
  -- What the backend last reported of it, and when.
  observed jsonb,
  observed_at timestamptz,
  -- Since when desired and confirmed have differed.
  pending_since timestamptz,
  next_attempt_at timestamptz not null,
  attempts integer not null default 0,
  last_attempt_at timestamptz,
  last_error text,
  claimed_by uuid,
  claimed_until timestamptz,
  -- An attempt of this generation ended without an answer: the backend may yet act on it, and is looked at again soon.
  unsure boolean not null default false,
  -- When the backend is next asked whether it still agrees.
  verify_at timestamptz,
  -- When what clients see of it last changed.
  changed_at timestamptz not null,
  constraint sync_confirmed check (confirmed_generation between 0 and generation),
  constraint sync_pending check ((confirmed_generation < generation and refusal is null) = (pending_since is not null)),
  constraint sync_claim check ((claimed_by is null) = (claimed_until is null)),
  primary key (kind, key, service)
);
create index sync_due on sync (service, next_attempt_at) where pending_since is not null;
create index sync_verify on sync (service, verify_at) where verify_at is not null and pending_since is null;
create index sync_refused on sync (service, changed_at) where refusal is not null;

-- Each call to a backend about one thing, with its answer.
create table sync_attempt (
  id bigint generated always as identity,
  kind text not null,
  key text collate "C" not null,
  service text not null,
  generation bigint not null,
  step text not null,
  at timestamptz not null,
  outcome text not null check (outcome in ('done', 'refused', 'later')),
  code text,
  message text,
  primary key (kind, key, id)
);
create index sync_attempt_at on sync_attempt (at);

-- Answers of repeatable requests. A row without a status is being carried out by the process that holds its lease.
create table repeatable_request (
  caller text not null,
  request_id text not null,
  first_sent timestamptz not null,
  fingerprint bytea not null,
  lease uuid not null,
  leased_until timestamptz not null,
  status integer,
  headers jsonb,
  body text,
  expires_at timestamptz not null,
  primary key (caller, request_id)
);
create index repeatable_request_expires_at on repeatable_request (expires_at);

-- The TXT records of Direct Routing's subdomains, where Linebook keeps the zone itself.
create table dns_record (
  name text collate "C" not null check (name = lower(name)),
  value text not null,
  primary key (name, value)
);
