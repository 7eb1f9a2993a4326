-- A buyer that may be shut out for a while: its keys and its clients' tokens open nothing until it is enabled again.
alter table resource add column disabled_at timestamptz;
