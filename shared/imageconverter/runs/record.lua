-- Record the result of one source, once however often its job runs; enqueue the planner if it has work.
-- KEYS: the run, its bitmap, its results, those with an error, the batch queue
-- ARGV: index, status of the source ("": not converted because of a cancel),
--       number of outputs by error, skipped, success and warning, the result as JSON,
--       outstanding sources below which the planner is called, results from which it is called,
--       the planner's job: prefix of its id, prefix of its key, body
-- Returns 1, or 0 if the source was recorded before or the run is unknown.
local run, bitmap, results, failed, queue = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local index, status, result = ARGV[1], ARGV[2], ARGV[7]
local outputs = {error = ARGV[3], skipped = ARGV[4], success = ARGV[5], warning = ARGV[6]}
local refill_below, flush_at = tonumber(ARGV[8]), tonumber(ARGV[9])
local plan_id_prefix, plan_key_prefix, plan_body = ARGV[10], ARGV[11], ARGV[12]
local MAX_FAILED, FAILED_SECONDS = 100, 86400

if redis.call('EXISTS', run) == 0 or redis.call('SETBIT', bitmap, index, 1) == 1 then
  return 0
end
local recorded = redis.call('HINCRBY', run, 'recorded', 1)
local unmoved = 0
if status ~= '' then
  redis.call('HINCRBY', run, 'sources:' .. status, 1)
  for name, count in pairs(outputs) do
    if count ~= '0' then
      redis.call('HINCRBY', run, 'outputs:' .. name, count)
    end
  end
  unmoved = redis.call('RPUSH', results, result)
  if status == 'error' then
    redis.call('RPUSH', failed, result)
    redis.call('LTRIM', failed, -MAX_FAILED, -1)
    redis.call('EXPIRE', failed, FAILED_SECONDS)
  end
end
local state, planned, listed, called = unpack(redis.call('HMGET', run, 'state', 'planned', 'listed', 'called'))
local outstanding, is_running = tonumber(planned) - recorded, state == 'running'
local is_finished = is_running and listed == '1' and outstanding <= 0
if is_finished then
  end_run(run, 'finished')
end
local needs_refill = is_running and listed ~= '1' and outstanding <= refill_below
if (needs_refill or is_finished or unmoved >= flush_at) and called ~= '1' then
  -- Each call is a job of its own: one that is just ending would miss a call under its own id.
  redis.call('HSET', run, 'called', 1)
  local call = redis.call('HINCRBY', run, 'calls', 1)
  add_job(queue, plan_key_prefix .. call, plan_id_prefix .. call, plan_body)
end
return 1
