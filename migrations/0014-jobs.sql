-- Jobs: long work that the Operator API promises with 202 (imports, generated ranges, monthly charges).

create table job (
  id uuid primary key,
  kind text not null,
  state text not null check (state in ('receiving', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
  -- The actor that began it.
  created_by text not null,
  created_at timestamptz not null,
  -- When its present run began; a job that is resumed begins again.
  started_at timestamptz,
  ended_at timestamptz,
  input jsonb not null,
  -- The file that its body was spooled to, on the disk of the process that has claimed it; null once it has ended.
  spool text,
  -- The process that runs it or keeps its file. It renews the claim while it lives, by the machine's clock: `clock.ts`
  -- of an emulator may be moved.
  claimed_by uuid,
  claimed_until timestamptz,
  -- Runs that were begun, to give up on a job that ends its process each time.
  attempts integer not null default 0,
  -- What is counted: bytes, numbers, resources.
  unit text not null,
  progress_done bigint not null default 0,
  progress_total bigint,
  result jsonb,
  -- {code, message}
  error jsonb,
  -- How many rows were refused; job_refusal has the first of them.
  refused bigint not null default 0,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  constraint job_ended check ((state in ('succeeded', 'failed', 'cancelled')) = (ended_at is not null)),
  constraint job_running check (state <> 'running' or (claimed_by is not null and started_at is not null)),
  constraint job_claim check ((claimed_by is null) = (claimed_until is null) and (ended_at is null or claimed_by is null)),
  constraint job_spool check (spool is null or (ended_at is null and claimed_by is not null)),
  constraint job_error check ((state = 'failed') = (error is not null)),
  constraint job_cancel check ((cancel_requested_at is null) = (cancel_requested_by is null))
);
create index job_order on job (created_at, id);
create index job_live on job (created_at, id) where ended_at is null;
create index job_ended_at on job (ended_at) where ended_at is not null;

-- The rows of its input that a job refused, in their order.
create table job_refusal (
  job_id uuid not null references job on delete cascade,
  position integer not null,
  line bigint not null,
  -- Null: the line as such is wrong.
  field text,
  value text not null,
  reason text not null,
  primary key (job_id, position)
);
