-- Put a job among the dead, but only while the lease is still this token's.
-- KEYS: lease, queue, payload, tries, the dead by time, the dead as JSON
-- ARGV: token, id, the job as JSON, how many are kept, for how many seconds
-- Returns 1, or 0 where the lease was lost: the job then belongs to whoever holds it.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
local now, age = tonumber(redis.call('TIME')[1]), tonumber(ARGV[5])
redis.call('ZADD', KEYS[5], now, ARGV[2])
redis.call('HSET', KEYS[6], ARGV[2], ARGV[3])
local old = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now - age)
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1 - tonumber(ARGV[4]))) do
  old[#old + 1] = id
end
for _, id in ipairs(old) do
  redis.call('ZREM', KEYS[5], id)
  redis.call('HDEL', KEYS[6], id)
end
redis.call('EXPIRE', KEYS[5], age)
redis.call('EXPIRE', KEYS[6], age)
return 1
