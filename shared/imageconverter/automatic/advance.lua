-- Record where the running scan continues, and add to its counts.
-- KEYS: state, record of the scan
-- ARGV: start of the scan, cursor; then of each count its name and a number
-- Returns 1, or 0 if that scan has ended.
local state, record = KEYS[1], KEYS[2]
local started, cursor, counts = ARGV[1], ARGV[2], {unpack(ARGV, 3)}

local found = redis.call('HMGET', record, 'started', 'ended')
if found[1] ~= started or found[2] then
  return 0
end
redis.call('HSET', state, 'cursor', cursor)
for position = 1, #counts, 2 do
  redis.call('HINCRBY', record, counts[position], counts[position + 1])
end
return 1
