-- Turn a recorded event into deliveries; those that exist are left alone.
-- KEYS: recorded events
-- ARGV: the event as it was recorded, id and JSON of the delivery, number of deliveries that may wait for an endpoint,
--       then of each endpoint the keys of due deliveries and of deliveries
-- Returns the number of deliveries that were not made because too many wait.
local events = KEYS[1]
local event, id, delivery, max_waiting = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local dropped = 0
redis.call('ZREM', events, event)
for position = 5, #ARGV, 2 do
  local due, deliveries = ARGV[position], ARGV[position + 1]
  if redis.call('HEXISTS', deliveries, id) == 0 then
    if redis.call('ZCARD', due) >= max_waiting then
      dropped = dropped + 1
    else
      redis.call('HSET', deliveries, id, delivery)
      redis.call('ZADD', due, steady_ms(), id)
    end
  end
end
return dropped
