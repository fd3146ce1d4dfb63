-- Finish jobs, if the worker still holds their leases, and claim jobs that have none, under leases with its token.
-- KEYS: queue
-- ARGV: prefixes of the keys of leases, bodies, attempts and waiters, token, lease in ms, number of jobs wanted, number of
--       jobs to search, attempts from which a job is quarantined, 1: quarantined jobs / 0: all others, rank in the queue at
--       which the search starts; number of jobs to finish, and of each the id, 1: acknowledge / 0: requeue, delay in ms
--       (0: it keeps its place, and this was no attempt); then the ids of the jobs that the worker runs
-- Returns 1 if a quarantined job was left waiting, else 0; the rank at which the next search should start; then of each
-- claimed job the id, the score, the body, the number of attempts with this one.
local queue = KEYS[1]
local lease_prefix, job_prefix, attempts_prefix, waiters_prefix = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local token, lease_ms, count, look_ahead = ARGV[5], ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
local quarantine_attempts, wants_quarantined, start = tonumber(ARGV[9]), ARGV[10] == '1', tonumber(ARGV[11])
local finished_end = 12 + 3 * ARGV[12]
local finished, running = {unpack(ARGV, 13, finished_end)}, {unpack(ARGV, finished_end + 1)}
local ATTEMPTS_SECONDS = 88400  -- as arq

for position = 1, #finished, 3 do
  local id, is_done, delay_ms = finished[position], finished[position + 1] == '1', tonumber(finished[position + 2])
  -- If the lease was lost, the job belongs to its new holder.
  if redis.call('GET', lease_prefix .. id) == token then
    redis.call('DEL', lease_prefix .. id)
    if is_done then
      redis.call('ZREM', queue, id)
      redis.call('DEL', job_prefix .. id, attempts_prefix .. id, waiters_prefix .. id)
    elseif delay_ms > 0 then
      redis.call('ZADD', queue, 'XX', now_ms() + delay_ms, id)
    else
      redis.call('DEL', attempts_prefix .. id)
    end
  end
end

local claimed = {0, 0}
if count == 0 then
  return claimed
end
local is_running = {}
for _, id in ipairs(running) do
  is_running[id] = true
end
-- No job waits longer than for its retry. A score further ahead dates from before Redis's clock was set back: such jobs
-- are due, in their order.
local MAX_DELAY_MS = 60000
local now = now_ms()
local ahead = redis.call('ZRANGEBYSCORE', queue, now + MAX_DELAY_MS, '+inf', 'LIMIT', 0, look_ahead)
for position, id in ipairs(ahead) do
  redis.call('ZADD', queue, now - #ahead + position, id)
end

-- Running jobs stay in the queue, so the search has to reach past those of the whole fleet, however many searches that
-- takes; in growing steps, because a free job is usually near the head.
local wanted = count * 4 + 2
local offset, step = start, count + 16
while #claimed < wanted and offset < start + look_ahead do
  local found = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', offset, step)
  for i = 1, #found, 2 do
    if #claimed >= wanted then break end
    local id, score = found[i], found[i + 1]
    if not exists_for(lease_prefix .. id, lease_ms) and not is_running[id] then
      local attempts = tonumber(redis.call('GET', attempts_prefix .. id) or 0)
      local is_quarantined = attempts >= quarantine_attempts
      if is_quarantined == wants_quarantined then
        redis.call('SET', lease_prefix .. id, token, 'PX', lease_ms)
        redis.call('SET', attempts_prefix .. id, attempts + 1, 'EX', ATTEMPTS_SECONDS)
        for _, value in ipairs({id, score, redis.call('GET', job_prefix .. id), attempts + 1}) do
          claimed[#claimed + 1] = value
        end
      elseif is_quarantined then
        claimed[1] = 1
      end
    end
  end
  if #found < step * 2 then
    offset = 0
    break
  end
  offset, step = offset + step, step * 2
end
if claimed[1] == 1 then
  claimed[2] = start  -- the search for quarantined jobs follows
elseif #claimed < wanted then
  claimed[2] = offset
end
return claimed
