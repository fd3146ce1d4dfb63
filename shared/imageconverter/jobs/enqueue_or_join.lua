-- Queue a job for all who ask for the same flight meanwhile, or join the one that is under way.
-- KEYS: flight, queue, payload, refused counts, wake
-- ARGV: id, payload, its life in ms, limit (0: none), queue's name, prefix of the waiters' key
-- Returns the id of the job that is waited for, or false where the queue is full.
local job = redis.call('GET', KEYS[1])
if not job or not redis.call('ZSCORE', KEYS[2], job) then
  local limit = tonumber(ARGV[4])
  if limit > 0 and redis.call('ZCARD', KEYS[2]) >= limit then
    redis.call('HINCRBY', KEYS[4], ARGV[5], 1)
    return false
  end
  job = ARGV[1]
  local time = redis.call('TIME')
  redis.call('SET', KEYS[1], job, 'PX', ARGV[3])
  redis.call('PSETEX', KEYS[3], ARGV[3], ARGV[2])
  redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), job)
  redis.call('RPUSH', KEYS[5], 1)
  redis.call('PEXPIRE', KEYS[5], 5000)
end
redis.call('INCR', ARGV[6] .. job)
redis.call('PEXPIRE', ARGV[6] .. job, ARGV[3])
return job
