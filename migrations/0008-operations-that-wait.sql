-- Operations that call out, or wait for polls or for a person; and purchases of reservations.

-- The id of a reservation's purchase holds the client's own id, so it is unique for its resource only.
alter table operation drop constraint operation_pkey;
alter table operation add primary key (resource_id, id);

alter table operation drop constraint operation_kind_check;
alter table operation add constraint operation_kind_check
  check (kind in ('search', 'purchase', 'reservationPurchase', 'release', 'capabilities'));

alter table operation
  add column reservation_id uuid,
  -- More about a failure, an array of {code, message, target}.
  add column error_details jsonb,
  -- What it waits for beside the time: polls by its client, or a person. Stand-ins only.
  add column waits_for text check (waits_for in ('polls', 'hand')),
  add column polls_left integer check (polls_left > 0),
  -- How it is to fail whatever happens, {code, message}. Stand-ins only.
  add column scripted_failure jsonb,
  -- The next call out; null when none is left or it never had any. due_at says when, and while a worker holds its claim
  -- on it, until when. A failed operation may still have something to undo.
  add column stage text check (stage in ('billing', 'provisioning', 'undo-provisioning', 'undo-billing')),
  add column claimed_by uuid,
  add column attempts integer not null default 0,
  add column last_error text,
  -- What the systems called have said so far; see operations/call-out.ts.
  add column verdict jsonb;

-- Null: it has not started, and nobody knows when it will.
alter table operation alter column starts_at drop not null;

alter table operation drop constraint operation_subject;
alter table operation add constraint operation_subject check (
  num_nonnulls(search_id, reservation_id, e164) = 1 and
  case when kind in ('search', 'purchase') then search_id is not null
       when kind = 'reservationPurchase' then reservation_id is not null
       else e164 is not null end
);
alter table operation add constraint operation_waiting check (
  (waits_for is null or status = 'pending') and (polls_left is null or waits_for = 'polls')
);

drop index operation_due;
create index operation_due on operation (due_at) where status = 'pending' and stage is null and waits_for is null;
create index operation_call_due on operation (due_at) where stage is not null and waits_for is null;
-- What a resource has under way.
create index operation_pending on operation (resource_id, created_at) where status = 'pending';
