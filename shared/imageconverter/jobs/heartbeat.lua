-- Record the heartbeat of a process, remove those without a recent one, and return the rest and their formats.
-- KEYS: the role's live processes, the digests of their image formats
-- ARGV: process ("": only read), seconds after which a process counts as dead, digest of its image formats
local live, formats = KEYS[1], KEYS[2]
local process, timeout, digest = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local now = now_seconds()
if process ~= '' then
  redis.call('ZADD', live, now, process)
  steady_ms()  -- so that it goes on
  redis.call('HSET', formats, process, digest)
end
redis.call('ZREMRANGEBYSCORE', live, '-inf', now - timeout - 1)
-- Those of a clock that was set back since.
redis.call('ZREMRANGEBYSCORE', live, now + timeout + 1, '+inf')
for _, name in ipairs(redis.call('HKEYS', formats)) do
  if not redis.call('ZSCORE', live, name) then
    redis.call('HDEL', formats, name)
  end
end
local found = {}
for _, name in ipairs(redis.call('ZRANGE', live, 0, -1)) do
  table.insert(found, name)
  table.insert(found, redis.call('HGET', formats, name) or '')
end
return found
