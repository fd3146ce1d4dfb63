-- Leave the result of a job once for each of its waiters, and let the next request start another job.
-- KEYS: deduplication key, waiters, reply
-- ARGV: id, result, time to live in seconds
-- Returns the number of waiters.
local dedup_key, waiters_key, reply = KEYS[1], KEYS[2], KEYS[3]
local id, result, ttl_seconds = ARGV[1], ARGV[2], ARGV[3]

local waiters = tonumber(redis.call('GET', waiters_key) or '0')
for _ = 1, waiters do
  redis.call('RPUSH', reply, result)
end
if waiters > 0 then
  redis.call('EXPIRE', reply, ttl_seconds)
  redis.call('DEL', waiters_key)
end
if redis.call('GET', dedup_key) == id then
  redis.call('DEL', dedup_key)
end
return waiters
