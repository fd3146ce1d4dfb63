-- Make a run the current one, unless one runs.
-- KEYS: ids of the runs, the run, the batch queue
-- ARGV: id, the run as JSON, planner's job, counter's job, prefix of jobs, their life in ms, runs kept, prefix of runs
-- Returns 1, also where it is the current one already, or 0 where another run is running.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 1
end
local latest = redis.call('LINDEX', KEYS[1], 0)
if latest and redis.call('HGET', ARGV[8] .. latest, 'state') == 'running' then
  return 0
end
-- Whatever a canceled run left outstanding belongs to that run and cannot disturb this one.
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], 'run', ARGV[2], 'state', 'running', 'started', time[1], 'planned', 0, 'recorded', 0, 'calls', 0)
redis.call('LPUSH', KEYS[1], ARGV[1])
for _, forgotten in ipairs(redis.call('LRANGE', KEYS[1], ARGV[7], -1)) do
  redis.call('DEL', ARGV[8] .. forgotten, ARGV[8] .. forgotten .. ':done', ARGV[8] .. forgotten .. ':results')
end
redis.call('LTRIM', KEYS[1], 0, ARGV[7] - 1)
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for position, name in ipairs({'plan:0', 'count'}) do
  local id = ARGV[1] .. ':' .. name
  redis.call('SET', ARGV[5] .. id, ARGV[2 + position], 'PX', ARGV[6])
  redis.call('ZADD', KEYS[3], now, id)
end
return 1
