-- Take a lock that expires after a time.
-- KEYS: lock
-- ARGV: time to live in ms
-- Returns 1 if it was taken, 0 if it is held.
local lock, ttl_ms = KEYS[1], ARGV[1]

if exists_for(lock, ttl_ms) then
  return 0
end
redis.call('SET', lock, 1, 'PX', ttl_ms)
return 1
