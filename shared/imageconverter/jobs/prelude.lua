-- Functions that all scripts share; this text stands before each of them.

-- Redis's clock, since 1970.
local function now_seconds()
  return tonumber(redis.call('TIME')[1])
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
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

-- Whether the queue has limit jobs (0: no limit); if so, the job counts as refused.
local function refuse_if_full(queue, limit, refused, queue_name)
  if limit == 0 or redis.call('ZCARD', queue) < limit then
    return false
  end
  redis.call('HINCRBY', refused, queue_name, 1)
  return true
end
