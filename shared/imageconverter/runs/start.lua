-- Start a run and enqueue its planner and its counter, unless another run is running.
-- KEYS: ids of the runs, the run, the batch queue, its wake
-- ARGV: id, the run as JSON, body of the planner's job, body of the counter's job, prefix of the job keys,
--       number of runs kept, prefix of the keys of runs
-- Returns 1, also if the run was started before, or 0 if another run is running.
local runs, run, queue, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, text, plan_body, count_body, job_prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local runs_kept, run_prefix = ARGV[6], ARGV[7]
local MAX_BACKED = 1000  -- ended runs beyond those that are kept, until a reporter has archived them

if redis.call('EXISTS', run) == 1 then
  return 1
end
local latest = redis.call('LINDEX', runs, 0)
if latest and redis.call('HGET', run_prefix .. latest, 'state') == 'running' then
  return 0
end
-- Jobs that a canceled run has left belong to that run and do not affect this one.
redis.call(
  'HSET', run, 'run', text, 'state', 'running', 'started', now_seconds(), 'planned', 0, 'recorded', 0, 'calls', 0,
  'backed', 1
)
redis.call('LPUSH', runs, id)
local left = {}
for position, old in ipairs(redis.call('LRANGE', runs, runs_kept, -1)) do
  if position <= MAX_BACKED and redis.call('HEXISTS', run_prefix .. old, 'backed') == 1 then
    left[#left + 1] = old  -- without it, its backup would be taken for that of a run that Redis has lost
  else
    redis.call('DEL', run_prefix .. old, run_prefix .. old .. ':done', run_prefix .. old .. ':results')
  end
end
redis.call('LTRIM', runs, 0, runs_kept - 1)
for _, old in ipairs(left) do
  redis.call('RPUSH', runs, old)
end
add_job(queue, job_prefix .. id .. ':plan:0', id .. ':plan:0', plan_body)
add_job(queue, job_prefix .. id .. ':count', id .. ':count', count_body)
wake_workers(wake, 2)
return 1
