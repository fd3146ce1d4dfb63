-- Record what became of one source, once however often its job ran.
-- KEYS: the run, its bitmap, its results, the batch queue
-- ARGV: index, status of the source ("": left out by a cancel), outputs by error, skipped, success and warning,
--       the result as JSON, outstanding from which the planner is called, results from which it is,
--       planner's id prefix, key prefix, body, life in ms
-- Returns 1, or 0 where the source was recorded before or the run is forgotten.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 1 then
  return 0
end
local recorded = redis.call('HINCRBY', KEYS[1], 'recorded', 1)
local results = 0
if ARGV[2] ~= '' then
  redis.call('HINCRBY', KEYS[1], 'sources:' .. ARGV[2], 1)
  for position, name in ipairs({'error', 'skipped', 'success', 'warning'}) do
    if ARGV[2 + position] ~= '0' then
      redis.call('HINCRBY', KEYS[1], 'outputs:' .. name, ARGV[2 + position])
    end
  end
  results = redis.call('RPUSH', KEYS[3], ARGV[7])
end
local run = redis.call('HMGET', KEYS[1], 'state', 'planned', 'listed', 'called')
local outstanding, listed = tonumber(run[2]) - recorded, run[3] == '1'
local time = redis.call('TIME')
local finished = false
if run[1] == 'running' and listed and outstanding <= 0 then
  redis.call('HSET', KEYS[1], 'state', 'finished', 'ended', time[1])
  finished = true
end
local hungry = run[1] == 'running' and not listed and outstanding <= tonumber(ARGV[8])
if (hungry or finished or results >= tonumber(ARGV[9])) and run[4] ~= '1' then
  -- Each call is a job of its own: one that is just ending does not hear a call under its own id.
  redis.call('HSET', KEYS[1], 'called', 1)
  local call = redis.call('HINCRBY', KEYS[1], 'calls', 1)
  redis.call('SET', ARGV[11] .. call, ARGV[12], 'PX', ARGV[13])
  redis.call('ZADD', KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[10] .. call)
end
return 1
