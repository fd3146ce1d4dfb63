-- Replace a delivery after an attempt and release the lease of its endpoint, if it is still held.
-- KEYS: due deliveries, deliveries, lease, log
-- ARGV: token, id and JSON of the delivery, ms until its next attempt (-1: it has ended), number and ms that those which
--       have ended are kept
-- Returns 1, or 0 if the lease was lost: the delivery is then attempted again.
local due, deliveries, lease, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, id, delivery, delay_ms, max_ended, max_ms = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]

if redis.call('GET', lease) ~= token then
  return 0
end
redis.call('DEL', lease)
redis.call('HSET', deliveries, id, delivery)
local now = steady_ms()
if delay_ms >= 0 then
  redis.call('ZADD', due, now + delay_ms, id)
  return 1
end
redis.call('ZREM', due, id)
redis.call('ZADD', log, now, id)
local expired = redis.call('ZRANGEBYSCORE', log, '-inf', now - max_ms)
for _, each in ipairs(redis.call('ZRANGE', log, 0, -1 - max_ended)) do
  expired[#expired + 1] = each
end
for _, each in ipairs(expired) do
  redis.call('ZREM', log, each)
  redis.call('HDEL', deliveries, each)
end
return 1
