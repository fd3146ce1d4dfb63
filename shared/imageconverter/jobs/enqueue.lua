-- Queue a job: payload and place in the queue in one step, or nothing at all.
-- KEYS: queue, payload, refused counts, wake   ARGV: id, payload, its life in ms, limit (0: none), queue's name
-- Returns 1 where the job is queued (now or before), 0 where the queue is full.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 1
end
local limit = tonumber(ARGV[4])
if limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit then
  redis.call('HINCRBY', KEYS[3], ARGV[5], 1)
  return 0
end
local time = redis.call('TIME')
redis.call('PSETEX', KEYS[2], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
redis.call('RPUSH', KEYS[4], 1)
redis.call('PEXPIRE', KEYS[4], 5000)
return 1
