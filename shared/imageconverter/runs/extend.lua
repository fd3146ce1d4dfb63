-- Hand out sources and remember how far the planner came.
-- KEYS: the run, the batch queue
-- ARGV: key prefix of the run's jobs, id prefix, their life in ms, index of the first, batch, last key, 1 at the end,
--       planner's id prefix, key prefix, body, life in ms, then the jobs' bodies
-- Returns how many are outstanding, -1 where the run does not run, -2 where another planner was here.
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then
  return -1
end
local planned = tonumber(redis.call('HGET', KEYS[1], 'planned'))
if planned ~= tonumber(ARGV[4]) or redis.call('HGET', KEYS[1], 'listed') == '1' then
  return -2
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for position = 12, #ARGV do
  local index = planned + position - 12
  redis.call('SET', ARGV[1] .. index, ARGV[position], 'PX', ARGV[3])
  redis.call('ZADD', KEYS[2], now, ARGV[2] .. index)
end
planned = planned + math.max(0, #ARGV - 11)
redis.call('HSET', KEYS[1], 'planned', planned, 'batch', ARGV[5], 'after', ARGV[6], 'listed', ARGV[7])
local recorded = tonumber(redis.call('HGET', KEYS[1], 'recorded'))
if ARGV[7] == '1' and recorded >= planned then
  redis.call('HSET', KEYS[1], 'state', 'finished', 'ended', time[1])
end
return planned - recorded
