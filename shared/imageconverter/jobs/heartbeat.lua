-- Record the heartbeat of a process, remove those without a recent one, and return the rest and their formats.
-- KEYS: the role's live processes, the digests of their image formats, the reports of what they are doing
-- ARGV: process ("": only read), seconds after which a process counts as dead, digest of its image formats, its report
local live, formats, reports = KEYS[1], KEYS[2], KEYS[3]
local process, timeout, digest, report = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

local function forget_dead(hash)
  for _, name in ipairs(redis.call('HKEYS', hash)) do
    if not redis.call('ZSCORE', live, name) then
      redis.call('HDEL', hash, name)
    end
  end
end

local now = now_seconds()
if process ~= '' then
  redis.call('ZADD', live, now, process)
  steady_ms()  -- so that it goes on
  redis.call('HSET', formats, process, digest)
  if redis.call('HGET', reports, process) ~= report then  -- what does not change need not be written to disk
    redis.call('HSET', reports, process, report)
  end
end
redis.call('ZREMRANGEBYSCORE', live, '-inf', now - timeout - 1)
-- Those of a clock that was set back since.
redis.call('ZREMRANGEBYSCORE', live, now + timeout + 1, '+inf')
forget_dead(formats)
forget_dead(reports)
local found = {}
for _, name in ipairs(redis.call('ZRANGE', live, 0, -1)) do
  table.insert(found, name)
  table.insert(found, redis.call('HGET', formats, name) or '')
end
return found
