-- Enqueue a job: store its body and put it into the queue, or do nothing.
-- KEYS: queue, job, refused counts, wake, waited for
-- ARGV: id, body, limit (0: none), name of the queue, ms that a client waits without a renewal (0: none)
-- Returns 1 if the job is in the queue (from now on or before), 0 if the queue is full.
local queue, job_key, refused, wake, waited_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, body, limit, queue_name, waited_ms = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])

if redis.call('ZSCORE', queue, id) then
  return 1
end
if refuse_if_full(queue, limit, refused, queue_name) then
  return 0
end
add_job(queue, job_key, id, body)
if waited_ms > 0 then
  redis.call('SET', waited_key, 1, 'PX', waited_ms)
end
wake_worker(wake)
return 1
