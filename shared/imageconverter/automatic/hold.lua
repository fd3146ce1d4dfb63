-- Take the lease of automatic work, or renew it.
-- KEYS: lease
-- ARGV: token of the holder, time to live in ms
-- Returns 1, or 0 if another reporter holds it.
local lease = KEYS[1]
local token, ttl_ms = ARGV[1], ARGV[2]

if redis.call('GET', lease) ~= token and exists_for(lease, ttl_ms) then
  return 0
end
redis.call('SET', lease, token, 'PX', ttl_ms)
return 1
