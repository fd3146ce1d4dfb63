-- Enqueue sources of a run and move its plan cursor behind them.
-- KEYS: the run, the batch queue
-- ARGV: prefix of the keys of its jobs, prefix of their ids, index of the first source,
--       the new cursor: batch, last key, 1: everything is listed / 0: not yet; then the bodies of the jobs
-- Returns how many sources are outstanding, -1 if the run is not running, -2 if another planner was faster.
local run, queue = KEYS[1], KEYS[2]
local job_prefix, id_prefix, first = ARGV[1], ARGV[2], tonumber(ARGV[3])
local batch, after, listed, bodies = ARGV[4], ARGV[5], ARGV[6], {unpack(ARGV, 7)}

if redis.call('HGET', run, 'state') ~= 'running' then
  return -1
end
if tonumber(redis.call('HGET', run, 'planned')) ~= first or redis.call('HGET', run, 'listed') == '1' then
  return -2
end
for position, body in ipairs(bodies) do
  local index = first + position - 1
  add_job(queue, job_prefix .. index, id_prefix .. index, body)
end
local planned = first + #bodies
redis.call('HSET', run, 'planned', planned, 'batch', batch, 'after', after, 'listed', listed)
local recorded = tonumber(redis.call('HGET', run, 'recorded'))
if listed == '1' and recorded >= planned then
  end_run(run, 'finished')
end
return planned - recorded
