-- Enqueue a job: store its body and put it into the queue, or do nothing.
-- KEYS: queue, job, refused counts, wake, waited for
-- ARGV: id, body, time to live in ms, limit (0: none), name of the queue,
--       ms that a client waits without a renewal (0: none)
-- Returns 1 if the job is in the queue (from now on or before), 0 if the queue is full.
local queue, job_key, refused, wake, waited_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, body, ttl_ms, limit, queue_name = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local waited_ms = tonumber(ARGV[6])

if redis.call('ZSCORE', queue, id) then
  return 1
end
if refuse_if_full(queue, limit, refused, queue_name) then
  return 0
end
add_job(queue, job_key, id, body, ttl_ms)
if waited_ms > 0 then
  redis.call('SET', waited_key, 1, 'PX', waited_ms)
end
wake_worker(wake)
return 1
