-- Words and rules: docs/architecture.md. A row that breaks the ledger's rules is refused here, whatever code asked for it.

-- Who buys. Rows are never deleted, which is why the busy tables below refer to them without a foreign key: each
-- reference would lock this row once per purchase, and all buyers of one resource would meet there.
create table resource (
  id uuid primary key,
  name text not null,
  primary_key_sealed bytea not null,
  secondary_key_sealed bytea not null,
  created_at timestamptz not null,
  constraint resource_name_unique unique (name),
  constraint resource_name_form check (name ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$')
);

-- The host names a resource answers to, lower case and without port. A resource without any answers to every host
-- that no other resource has claimed.
create table resource_host (
  host text primary key check (host = lower(host) and host <> ''),
  resource_id uuid not null references resource
);
create index resource_host_resource on resource_host (resource_id);

-- What numbers of one kind and area have in common. Few rows, so that lists of localities and area codes are cheap
-- and a hold reaches its candidates through one narrow index. Empty text: has none.
create table place (
  id integer generated always as identity primary key,
  country_code text not null check (country_code ~ '^[A-Z]{2}$'),
  number_type text not null check (number_type in ('geographic', 'tollFree', 'mobile')),
  area_code text not null check (area_code ~ '^[0-9]{1,8}$'),
  administrative_division text not null check (length(administrative_division) <= 200),
  locality text not null check (length(locality) <= 200),
  -- Random, so that a search over a whole country enters its places anywhere.
  shuffle integer not null,
  constraint place_unique unique (country_code, number_type, area_code, administrative_division, locality)
);
create index place_ring on place (country_code, number_type, shuffle);

create sequence purchase_order;

-- The ledger: one row per number.
create table number (
  e164 text collate "C" primary key check (e164 ~ '^\+[1-9][0-9]{1,14}$'),
  -- Null for a number that is not stock: an operator entered it for an account, and it leaves with it.
  place_id integer references place,
  -- Random: holds enter the free numbers of a place here, so that buyers neither meet nor can walk the stock in order.
  shuffle integer not null,
  state text not null check (state in ('available', 'held', 'owned', 'assigned', 'quarantined', 'retired')),
  -- Held and quarantined numbers count as available from this instant on. Infinity: a purchase has claimed the hold.
  free_at timestamptz,
  hold_id uuid,
  resource_id uuid,
  account_id uuid,
  purchased_at timestamptz,
  purchase_order bigint,
  assignment_type text check (assignment_type in ('person', 'application')),
  calling text check (calling in ('none', 'inbound', 'outbound', 'inbound+outbound')),
  sms text check (sms in ('none', 'inbound', 'outbound', 'inbound+outbound')),
  price_amount numeric(12, 4) check (price_amount >= 0),
  price_currency text check (price_currency ~ '^[A-Z]{3}$'),
  constraint number_stock check (place_id is not null or state = 'assigned'),
  constraint number_held check ((state = 'held') = (hold_id is not null)),
  constraint number_freeing check ((state in ('held', 'quarantined')) = (free_at is not null)),
  constraint number_holder check ((state in ('held', 'owned')) = (resource_id is not null)),
  constraint number_assigned check ((state = 'assigned') = (account_id is not null)),
  constraint number_owned check (
    num_nonnulls(purchased_at, purchase_order, assignment_type, calling, sms, price_amount, price_currency)
      = case state when 'owned' then 7 else 0 end
  )
);
-- What a hold takes from, entered at a random shuffle.
create index number_available on number (place_id, shuffle) where state = 'available';
-- What time has freed or will free: holds take from it too, sweeping tidies it up.
create index number_freeing on number (place_id, free_at) where free_at is not null;
create index number_hold on number (hold_id) where hold_id is not null;
-- Pages of a resource's numbers, in the order of purchase.
create index number_owned_order on number (resource_id, purchase_order) where state = 'owned';
create index number_account_order on number (account_id, e164) where account_id is not null;

-- What happened to each number. No foreign key: the story outlives a number that leaves the ledger.
create table number_history (
  id bigint generated always as identity,
  e164 text collate "C" not null,
  at timestamptz not null,
  event text not null,
  from_state text,
  to_state text,
  actor text not null,
  reason text not null,
  primary key (e164, id)
);

-- Promised work: every 202 of the Phone Numbers API.
create table operation (
  id text collate "C" primary key,
  kind text not null check (kind in ('search', 'purchase', 'release', 'capabilities')),
  resource_id uuid not null,
  -- On whose behalf, as the history of numbers says it.
  actor text not null,
  status text not null check (status in ('pending', 'succeeded', 'failed')),
  -- What clients are told as createdDateTime; a purchase tells its search's.
  created_at timestamptz not null,
  -- When a pending operation shows as running, and when it is carried out.
  starts_at timestamptz not null,
  due_at timestamptz not null,
  ended_at timestamptz,
  -- The search a search or purchase is about, the number a release or capability change is about.
  search_id uuid,
  e164 text collate "C",
  -- A capability change: what becomes of each; null leaves it as it is.
  calling text,
  sms text,
  error_code text,
  error_message text,
  -- Marks the very request that began it, so that a client's retry of that request finds it again.
  request_mark bytea,
  constraint operation_ended check ((status = 'pending') = (ended_at is null)),
  constraint operation_failed check ((status = 'failed') = (error_code is not null and error_message is not null)),
  constraint operation_subject check (
    case when kind in ('search', 'purchase') then search_id is not null and e164 is null
         else search_id is null and e164 is not null end
  )
);
create index operation_due on operation (due_at) where status = 'pending';
-- One thing at a time happens to a number.
create unique index operation_number_busy on operation (e164) where status = 'pending' and e164 is not null;
create unique index operation_request_mark on operation (resource_id, request_mark) where request_mark is not null;
create index operation_ended_at on operation (ended_at) where ended_at is not null;

create table search (
  id uuid primary key,
  resource_id uuid not null,
  country_code text not null,
  number_type text not null,
  assignment_type text not null,
  calling text not null,
  sms text not null,
  area_code text,
  quantity integer not null check (quantity > 0),
  price_amount numeric(12, 4) not null,
  price_currency text not null,
  resell_agreement_required boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- running until its operation has ended, then found (its numbers are held, or were) or failed; purchasing while a
  -- purchase that takes time is under way, purchased after it.
  state text not null check (state in ('running', 'found', 'purchasing', 'purchased', 'failed')),
  phone_numbers text[] not null default '{}',
  -- A name of the published list of search errors.
  error text not null default 'NoError'
);
create index search_expires_at on search (expires_at);
