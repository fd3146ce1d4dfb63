-- End the running scan.
-- KEYS: state, record of the scan
-- ARGV: start of the scan; then names and values to record
-- Returns 1, or 0 if that scan has ended.
local state, record = KEYS[1], KEYS[2]
local started, fields = ARGV[1], {unpack(ARGV, 2)}

local found = redis.call('HMGET', record, 'started', 'ended')
if found[1] ~= started or found[2] then
  return 0
end
redis.call('HSET', record, unpack(fields))
redis.call('HDEL', state, 'cursor')
return 1
