-- Remove a dead letter, and enqueue its job again if asked to.
-- KEYS: dead letters by time, dead letters as JSON
-- ARGV: id, 1: enqueue / 0: drop, prefix of the job keys, prefix of queues, prefix of wakes
-- Returns 1, 0 if there is no such dead letter, or -1 if its job was not kept.
local times, letters = KEYS[1], KEYS[2]
local id, is_requeued = ARGV[1], ARGV[2] == '1'
local job_prefix, queue_prefix, wake_prefix = ARGV[3], ARGV[4], ARGV[5]

local text = redis.call('HGET', letters, id)
if not text then
  return 0
end
if is_requeued then
  local letter = cjson.decode(text)
  if letter.body == '' then
    return -1
  end
  local queue_name = letter['lane']
  add_job(queue_prefix .. queue_name, job_prefix .. id, id, letter.body)
  wake_worker(wake_prefix .. queue_name)
end
redis.call('ZREM', times, id)
redis.call('HDEL', letters, id)
return 1
