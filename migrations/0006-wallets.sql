-- Prepaid money of resources, and every change of it. A resource without a wallet in an offering's currency is not
-- charged for it, or can't buy it: setting LINEBOOK_WALLET_REQUIRED.

create table wallet (
  resource_id uuid not null references resource,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- Purchases never take it below zero; a month's charge for what is owned already may.
  balance numeric(18, 4) not null,
  primary key (resource_id, currency)
);

create table wallet_entry (
  id bigint generated always as identity,
  resource_id uuid not null,
  currency text not null,
  at timestamptz not null,
  kind text not null check (kind in ('credit', 'purchase', 'refund', 'month')),
  -- What it added to the balance, negative for a charge; and the balance after it.
  amount numeric(18, 4) not null check (amount <> 0),
  balance numeric(18, 4) not null,
  -- How many numbers it is about.
  numbers integer not null default 0 check (numbers >= 0),
  actor text not null,
  -- The operation of a purchase or refund, the month (2026-11), or what the operator wrote.
  reference text not null,
  primary key (resource_id, currency, id),
  foreign key (resource_id, currency) references wallet
);
-- A month is charged once.
create unique index wallet_entry_month on wallet_entry (resource_id, currency, reference) where kind = 'month';
-- What an operation was charged, when it has to be given back.
create index wallet_entry_reference on wallet_entry (resource_id, reference);
