-- What a browse by prefix takes from: the free numbers of a place in their order. A hold, a purchase or a release writes
-- nothing into it, since only available numbers stand here.
create index number_available_order on number (place_id, e164) where state = 'available';
