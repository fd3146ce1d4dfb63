-- Renew leases; one that expired while Redis was unavailable is taken again if the job still waits without a lease.
-- KEYS: queue, then the lease keys
-- ARGV: token, lease in ms, then the ids of the jobs in the order of the lease keys
-- Returns the lease keys that were lost: another worker has the job, or it is no longer in the queue.
local queue, leases = KEYS[1], {unpack(KEYS, 2)}
local token, lease_ms, ids = ARGV[1], ARGV[2], {unpack(ARGV, 3)}

local lost = {}
for position, lease in ipairs(leases) do
  local holder = redis.call('GET', lease)
  if holder == token then
    redis.call('PEXPIRE', lease, lease_ms)
  elseif not holder and redis.call('ZSCORE', queue, ids[position]) then
    redis.call('SET', lease, token, 'PX', lease_ms)
  else
    lost[#lost + 1] = lease
  end
end
return lost
