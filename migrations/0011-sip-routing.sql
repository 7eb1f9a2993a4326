-- The SIP routing configuration of a resource: read, checked and written as a whole, so it is one row, and the lock on
-- that row is what makes changes of one resource follow one another. No row: nothing has been configured yet.

create table sip_routing (
  resource_id uuid primary key references resource,
  -- Arrays, because their order is kept, which jsonb does not do for the names of an object:
  -- of {fqdn, sipSignalingPort}, and of {description?, name, numberPattern, trunks}.
  trunks jsonb not null default '[]' check (jsonb_typeof(trunks) = 'array'),
  routes jsonb not null default '[]' check (jsonb_typeof(routes) = 'array')
);
