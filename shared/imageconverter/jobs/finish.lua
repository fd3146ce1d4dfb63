-- Acknowledge a job, or requeue it, if the worker still holds its lease.
-- KEYS: lease, queue, job, attempts, waiters
-- ARGV: token, id, 1: acknowledge / 0: requeue, delay in ms (0: it keeps its place), 1: this was an attempt / 0: reset the attempts
-- Returns 1, or 0 if the lease was lost: the job then belongs to its new holder.
local lease, queue, job_key, attempts, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, id, is_done, delay_ms, is_attempt = ARGV[1], ARGV[2], ARGV[3] == '1', tonumber(ARGV[4]), ARGV[5] == '1'

if redis.call('GET', lease) ~= token then
  return 0
end
redis.call('DEL', lease)
if is_done then
  redis.call('ZREM', queue, id)
  redis.call('DEL', job_key, attempts, waiters)
  return 1
end
if delay_ms > 0 then
  redis.call('ZADD', queue, 'XX', now_ms() + delay_ms, id)
end
if not is_attempt then
  redis.call('DEL', attempts)
end
return 1
