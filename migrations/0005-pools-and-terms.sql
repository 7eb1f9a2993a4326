-- What a resource may buy, and from which stock.

-- Stock is divided into pools. '' is the one that all buyers share; a resource with a pool of its own sees nothing else.
alter table place add column pool text collate "C" not null default '';
alter table place drop constraint place_unique;
alter table place add constraint place_unique
  unique (pool, country_code, number_type, area_code, administrative_division, locality);
drop index place_ring;
create index place_ring on place (pool, country_code, number_type, shuffle);

alter table resource
  add column pool text collate "C" not null default '',
  -- Most numbers that it may own; null: no limit.
  add column number_limit integer check (number_limit >= 0),
  -- The offerings it may buy, each `{country}`, `{country}:{type}` or `{country}:{type}:{assignment}`; null: all.
  add column entitled_to text[],
  -- Its addresses by country, for offerings that need one.
  add column addresses jsonb not null default '{}';
