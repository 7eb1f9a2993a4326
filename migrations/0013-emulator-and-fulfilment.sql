-- Names: what was the stand-in is the emulator, and the hook that carries purchases out is fulfilment.

alter table standin_setting rename to emulator_setting;
alter table emulator_setting rename constraint standin_setting_pkey to emulator_setting_pkey;

alter table operation drop constraint operation_stage_check;
update operation
set stage = replace(stage, 'provisioning', 'fulfilment'),
    verdict = replace(verdict::text, '"provisioning"', '"fulfilment"')::jsonb
where stage is not null or verdict is not null;
alter table operation add constraint operation_stage_check
  check (stage in ('billing', 'fulfilment', 'undo-fulfilment', 'undo-billing'));
