-- Make a delivery due that waits or has failed, with no attempts counted.
-- KEYS: due deliveries, deliveries, log
-- ARGV: id
-- Returns 1, or 0 if there is no such delivery, or it was delivered.
local due, deliveries, log = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[1]

local text = redis.call('HGET', deliveries, id)
local delivery = text and cjson.decode(text)
if not delivery or delivery.status == 'delivered' then
  return 0
end
delivery.status, delivery.attempts, delivery.next_at = 'waiting', 0, 0
redis.call('HSET', deliveries, id, cjson.encode(delivery))
redis.call('ZREM', log, id)
redis.call('ZADD', due, steady_ms(), id)
return 1
