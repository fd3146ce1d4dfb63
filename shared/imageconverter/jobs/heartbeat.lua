-- Record the heartbeat of a process, remove those without a recent one, and return the rest.
-- KEYS: the role's live processes
-- ARGV: process ("": only read), seconds after which a process counts as dead
local live = KEYS[1]
local process, timeout = ARGV[1], tonumber(ARGV[2])

local now = now_seconds()
if process ~= '' then
  redis.call('ZADD', live, now, process)
end
redis.call('ZREMRANGEBYSCORE', live, '-inf', now - timeout - 1)
-- Those of a clock that was set back since.
redis.call('ZREMRANGEBYSCORE', live, now + timeout + 1, '+inf')
return redis.call('ZRANGE', live, 0, -1)
