-- Leave the result of a job for its waiter, never without an expiry.
-- KEYS: reply
-- ARGV: result, time to live in seconds
-- Returns 1.
local reply = KEYS[1]
local result, ttl_seconds = ARGV[1], ARGV[2]

redis.call('RPUSH', reply, result)
redis.call('EXPIRE', reply, ttl_seconds)
return 1
