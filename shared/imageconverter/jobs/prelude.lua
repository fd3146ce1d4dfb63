-- Functions that all scripts share; this text stands before each of them.

-- Redis's clock, since 1970.
local function now_seconds()
  return tonumber(redis.call('TIME')[1])
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Time that passes like Redis's clock, but not when that is set: it stands still while the clock goes back, and for all
-- but a minute of a time in which no script asked. For ages of days; heartbeats ask every second.
local function steady_ms()
  local now = now_ms()
  local stored = redis.call('HMGET', CLOCK, 'seen', 'steady')
  local seen, steady = tonumber(stored[1] or now), tonumber(stored[2] or now)
  local passed = math.max(0, math.min(now - seen, 60000))
  if not stored[1] or passed ~= now - seen or passed > 1000 then
    redis.call('HSET', CLOCK, 'seen', now, 'steady', steady + passed)
  end
  return steady + passed
end

-- Whether a key exists that expires within ms. One that would exist for longer dates from before Redis's clock was set
-- back: it is made to expire in time.
local function exists_for(key, ms)
  local left = redis.call('PTTL', key)
  if left > tonumber(ms) then
    redis.call('PEXPIRE', key, ms)
  end
  return left ~= -2
end

-- Store the body of a job until it is done, and put its id at the end of the queue.
local function add_job(queue, job_key, id, body)
  redis.call('SET', job_key, body)
  redis.call('ZADD', queue, now_ms(), id)
end

-- Wake one idle worker.
local function wake_worker(wake)
  redis.call('RPUSH', wake, 1)
  redis.call('PEXPIRE', wake, 5000)
end

-- Wake an idle worker for each of count jobs, but not more than 16: the others poll.
local function wake_workers(wake, count)
  for _ = 1, math.min(count, 16) do
    wake_worker(wake)
  end
end

-- Whether the queue has limit jobs (0: no limit); if so, the job counts as refused.
local function refuse_if_full(queue, limit, refused, queue_name)
  if limit == 0 or redis.call('ZCARD', queue) < limit then
    return false
  end
  redis.call('HINCRBY', refused, queue_name, 1)
  return true
end

-- Record an event for webhooks in the same step as what it reports, for a reporter to send or to remove. Only the newest
-- 1,000 are kept, as there are dead letters.
local function record_event(kind, subject, data)
  local event = {type = kind, subject = subject, at = now_seconds(), data = data}
  redis.call('ZADD', WEBHOOK_EVENTS, now_ms(), cjson.encode(event))
  for _, oldest in ipairs(redis.call('ZRANGE', WEBHOOK_EVENTS, 0, -1001)) do
    redis.call('ZREM', WEBHOOK_EVENTS, oldest)
  end
end
