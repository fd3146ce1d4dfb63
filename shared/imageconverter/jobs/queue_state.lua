-- Count the jobs of a queue, and find the first one that no worker runs.
-- KEYS: queue
-- ARGV: prefix of the lease keys, number of jobs to search
-- Returns the number of jobs, of those with a lease among the searched ones, and for how long in ms the first one without
-- a lease has been there, or -1 if there is none.
local queue = KEYS[1]
local lease_prefix, search_limit = ARGV[1], tonumber(ARGV[2])

local now, running, waits = now_ms(), 0, -1
local found = redis.call('ZRANGE', queue, 0, search_limit - 1, 'WITHSCORES')
for i = 1, #found, 2 do
  if redis.call('EXISTS', lease_prefix .. found[i]) == 1 then
    running = running + 1
  elseif waits < 0 then
    waits = math.max(0, now - tonumber(found[i + 1]))
  end
end
return {redis.call('ZCARD', queue), running, waits}
