-- Record that a client waits for a job no more.
-- KEYS: waiters, waited for
-- Returns the number of clients that still wait for it.
local waiters_key, waited_key = KEYS[1], KEYS[2]

local waiters = tonumber(redis.call('GET', waiters_key) or '0') - 1
if waiters > 0 then
  redis.call('DECR', waiters_key)
  return waiters
end
redis.call('DEL', waiters_key, waited_key)
return 0
