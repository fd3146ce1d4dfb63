-- Take a job out of the dead, and queue it again where that is wanted.
-- KEYS: the dead by time, the dead as JSON
-- ARGV: id, 1: queue it / 0: drop it, prefix of payloads, their life in ms, prefix of queues, prefix of wakes
-- Returns 1, 0 where it is not there, or -1 where nothing is known of it that could be queued.
local text = redis.call('HGET', KEYS[2], ARGV[1])
if not text then
  return 0
end
if ARGV[2] == '1' then
  local job = cjson.decode(text)
  if job.body == '' then
    return -1
  end
  local time = redis.call('TIME')
  redis.call('SET', ARGV[3] .. ARGV[1], job.body, 'PX', ARGV[4])
  redis.call('ZADD', ARGV[5] .. job.lane, time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
  redis.call('RPUSH', ARGV[6] .. job.lane, 1)
  redis.call('PEXPIRE', ARGV[6] .. job.lane, 5000)
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
