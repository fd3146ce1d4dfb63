-- Claim jobs of a queue that have no lease, each under a lease with the worker's token.
-- KEYS: queue
-- ARGV: prefix of the lease keys, token, lease in ms, number of jobs wanted, number of jobs to search,
--       prefix of the attempts keys, attempts from which a job is quarantined, 1: quarantined jobs / 0: all others,
--       rank in the queue at which the search starts
-- Returns 1 if a quarantined job was left waiting, else 0; the rank at which the next search should start; then id,
-- score, id, score, …
local queue = KEYS[1]
local lease_prefix, token, lease_ms, count, look_ahead = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local attempts_prefix, quarantine_attempts, wants_quarantined = ARGV[6], tonumber(ARGV[7]), ARGV[8] == '1'
local start = tonumber(ARGV[9])

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
local wanted, claimed = count * 2 + 2, {0, 0}
local offset, step = start, count + 16
while #claimed < wanted and offset < start + look_ahead do
  local found = redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'WITHSCORES', 'LIMIT', offset, step)
  for i = 1, #found, 2 do
    if #claimed >= wanted then break end
    local id, score = found[i], found[i + 1]
    if not exists_for(lease_prefix .. id, lease_ms) then
      local is_quarantined = tonumber(redis.call('GET', attempts_prefix .. id) or 0) >= quarantine_attempts
      if is_quarantined == wants_quarantined then
        redis.call('SET', lease_prefix .. id, token, 'PX', lease_ms)
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = score
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
