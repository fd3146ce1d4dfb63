-- Store the response of a request, or forget the request, or only end its lease, so that it can be sent again.
-- KEYS: the record of the request, its lease
-- ARGV: the holder of the lease, "store", "forget" or "keep"; to store: fingerprint, status, type, body
-- Returns 1, or 0 if another gateway has claimed the request.
local record, lease = KEYS[1], KEYS[2]
local holder, outcome, fingerprint, status, type, body = unpack(ARGV)

local found = redis.call('GET', lease)
if found and found ~= holder then
  return 0
end
redis.call('DEL', lease)
if outcome == 'store' then
  redis.call('HSET', record, 'fingerprint', fingerprint, 'status', status, 'type', type, 'body', body)
elseif outcome == 'forget' then
  redis.call('DEL', record)
end
return 1
