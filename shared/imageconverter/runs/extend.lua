-- Enqueue sources of a run, or record them as skipped, and move its plan cursor behind them.
-- KEYS: the run, its bitmap, its results, the batch queue, its wake
-- ARGV: prefix of the keys of its jobs, prefix of their ids, index of the first source,
--       the new cursor: batch, last key, 1: everything is listed / 0: not yet; then of each source
--       the number of outputs that are up to date and its result as JSON, or 0 and the body of its job
-- Returns how many sources are outstanding, -1 if the run is not running, -2 if another planner was faster.
local run, bitmap, results, queue, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local job_prefix, id_prefix, first = ARGV[1], ARGV[2], tonumber(ARGV[3])
local batch, after, listed, sources = ARGV[4], ARGV[5], ARGV[6], {unpack(ARGV, 7)}

if redis.call('HGET', run, 'state') ~= 'running' then
  return -1
end
if tonumber(redis.call('HGET', run, 'planned')) ~= first or redis.call('HGET', run, 'listed') == '1' then
  return -2
end
local planned, skipped, skipped_outputs = first, 0, 0
for position = 1, #sources, 2 do
  local outputs, text = tonumber(sources[position]), sources[position + 1]
  if outputs == 0 then
    add_job(queue, job_prefix .. planned, id_prefix .. planned, text)
  else
    redis.call('SETBIT', bitmap, planned, 1)
    redis.call('RPUSH', results, text)
    skipped, skipped_outputs = skipped + 1, skipped_outputs + outputs
  end
  planned = planned + 1
end
wake_workers(wake, planned - first - skipped)
redis.call('HSET', run, 'planned', planned, 'batch', batch, 'after', after, 'listed', listed)
if skipped > 0 then
  redis.call('HINCRBY', run, 'recorded', skipped)
  redis.call('HINCRBY', run, 'sources:skipped', skipped)
  redis.call('HINCRBY', run, 'outputs:skipped', skipped_outputs)
end
local recorded = tonumber(redis.call('HGET', run, 'recorded'))
if listed == '1' and recorded >= planned then
  end_run(run, 'finished')
end
return planned - recorded
