-- Enqueue a job, or join the one that is waiting or running under the same deduplication key; count the waiter.
-- KEYS: deduplication key, queue, job, refused counts, wake, queue of expensive jobs
-- ARGV: id, body, time to live of the deduplication key in ms, limit (0: none), name of the queue, prefix of the keys of waiters,
--       ms that a client waits without a renewal (0: none), prefix of the keys for that
-- Returns the id of the job to wait for, or false if the queue is full.
local dedup_key, queue, job_key, refused, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local expensive_queue = KEYS[6]
local new_id, body, ttl_ms, limit, queue_name = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local waiters_prefix, waited_ms, waited_prefix = ARGV[6], tonumber(ARGV[7]), ARGV[8]

local id = redis.call('GET', dedup_key)
if not id or not (redis.call('ZSCORE', queue, id) or redis.call('ZSCORE', expensive_queue, id)) then
  if refuse_if_full(queue, limit, refused, queue_name) then
    return false
  end
  id = new_id
  redis.call('SET', dedup_key, id, 'PX', ttl_ms)
  add_job(queue, job_key, id, body)
  wake_worker(wake)
end
redis.call('INCR', waiters_prefix .. id)
if waited_ms > 0 then
  redis.call('SET', waited_prefix .. id, 1, 'PX', waited_ms)
end
return id
