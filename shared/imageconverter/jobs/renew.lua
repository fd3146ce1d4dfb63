-- Renew leases; KEYS: the queue, then the lease keys   ARGV: token, lease in ms, then the ids of the jobs
-- A lease that has ended while Redis was away is taken again, where nobody else has taken the job or ended it.
-- Returns the keys that are no longer this token's: somebody else works on those jobs now, or nobody wants them.
local lost = {}
for position = 2, #KEYS do
  local key = KEYS[position]
  local holder = redis.call('GET', key)
  if holder == ARGV[1] then
    redis.call('PEXPIRE', key, ARGV[2])
  elseif not holder and redis.call('ZSCORE', KEYS[1], ARGV[position + 1]) then
    redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
  else
    lost[#lost + 1] = key
  end
end
return lost
