-- Take the lease of an endpoint and its delivery that is due for the longest time, unless the lease is held.
-- KEYS: due deliveries, deliveries, lease
-- ARGV: token, lease in ms
-- Returns the delivery, or false if none is due or the lease is held.
local due, deliveries, lease = KEYS[1], KEYS[2], KEYS[3]
local token, lease_ms = ARGV[1], ARGV[2]

if exists_for(lease, lease_ms) then
  return false
end
local id = redis.call('ZRANGEBYSCORE', due, '-inf', steady_ms(), 'LIMIT', 0, 1)[1]
if not id then
  return false
end
local delivery = redis.call('HGET', deliveries, id)
if not delivery then
  redis.call('ZREM', due, id)
  return false
end
redis.call('SET', lease, token, 'PX', lease_ms)
return delivery
