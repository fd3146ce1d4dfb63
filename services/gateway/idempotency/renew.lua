-- Renew the lease of a request.
-- KEYS: its lease
-- ARGV: the holder of the lease, its time to live in ms
-- Returns 1, or 0 if another gateway has claimed the request.
local lease = KEYS[1]
local holder, lease_ms = ARGV[1], ARGV[2]

local found = redis.call('GET', lease)
if found and found ~= holder then
  return 0
end
redis.call('SET', lease, holder, 'PX', lease_ms)
return 1
