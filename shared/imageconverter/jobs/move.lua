-- Move a running job to another queue if the worker still holds its lease; its attempts are counted anew there.
-- KEYS: lease, queue, attempts, the other queue, its wake
-- ARGV: token, id
-- Returns 1, or 0 if the lease was lost: the job then belongs to its new holder.
local lease, queue, attempts, target, wake = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, id = ARGV[1], ARGV[2]

if redis.call('GET', lease) ~= token then
  return 0
end
redis.call('DEL', lease, attempts)
redis.call('ZREM', queue, id)
redis.call('ZADD', target, now_ms(), id)
wake_worker(wake)
return 1
