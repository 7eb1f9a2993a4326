-- A reservation holds chosen numbers as a search holds found ones: `hold_id` is what the ledger's rows refer to. The id
-- is the client's own choice, so two resources may have chosen the same.

create table reservation (
  resource_id uuid not null,
  id uuid not null,
  hold_id uuid not null unique,
  -- submitted: its purchase has been accepted; completed: that has ended. An active one whose time is over has expired.
  state text not null check (state in ('active', 'submitted', 'completed')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (resource_id, id),
  check (expires_at >= created_at)
);
-- Pages of a resource's reservations.
create index reservation_order on reservation (resource_id, expires_at, id);
-- Reservations are forgotten after a month.
create index reservation_created_at on reservation (created_at);

-- The numbers of a reservation, with the terms as they were when it took them.
create table reservation_number (
  hold_id uuid not null references reservation (hold_id) on delete cascade,
  e164 text collate "C" not null,
  country_code text not null,
  number_type text not null,
  assignment_type text not null check (assignment_type in ('person', 'application')),
  calling text not null,
  sms text not null,
  price_amount numeric(12, 4) not null check (price_amount >= 0),
  price_currency text not null,
  resell_agreement_required boolean not null,
  -- How its purchase ended.
  outcome text check (outcome in ('purchased', 'failed')),
  error_code text,
  error_message text,
  primary key (hold_id, e164),
  constraint reservation_number_failed check (
    (outcome is not distinct from 'failed') = (error_code is not null and error_message is not null)
  )
);
