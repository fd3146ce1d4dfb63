-- Renew leases; KEYS: the lease keys   ARGV: token, lease in ms
-- Returns the keys that are no longer this token's: somebody else works on those jobs now.
local lost = {}
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    redis.call('PEXPIRE', key, ARGV[2])
  else
    lost[#lost + 1] = key
  end
end
return lost
