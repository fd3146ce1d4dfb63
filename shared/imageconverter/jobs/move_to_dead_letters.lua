-- Move a job to the dead letters if the worker still holds its lease; remove those that are too old or too many.
-- KEYS: lease, queue, job, attempts, waiters, dead letters by time, dead letters as JSON
-- ARGV: token, id, the dead letter as JSON, number and seconds that dead letters are kept
-- Returns 1, or 0 if the lease was lost: the job then belongs to its new holder.
local lease, queue, job_key, attempts, waiters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local times, letters = KEYS[6], KEYS[7]
local token, id, letter, max_letters, max_age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])

if redis.call('GET', lease) ~= token then
  return 0
end
redis.call('ZREM', queue, id)
redis.call('DEL', lease, job_key, attempts, waiters)
redis.call('ZADD', times, now_seconds(), id)
redis.call('HSET', letters, id, letter)
local event = cjson.decode(letter)
event.id, event.body = id, nil
record_event('dead_letter.created', id .. ':' .. now_seconds(), event)
local expired = redis.call('ZRANGEBYSCORE', times, '-inf', steady_ms() / 1000 - max_age)
for _, each in ipairs(redis.call('ZRANGE', times, 0, -1 - max_letters)) do
  expired[#expired + 1] = each
end
for _, each in ipairs(expired) do
  redis.call('ZREM', times, each)
  redis.call('HDEL', letters, each)
end
-- Earlier releases have given them a time to live.
redis.call('PERSIST', times)
redis.call('PERSIST', letters)
return 1
