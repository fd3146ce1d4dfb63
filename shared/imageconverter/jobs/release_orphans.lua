-- End the leases of processes that have ended.
-- KEYS: queue
-- ARGV: prefix of the lease keys, beginning of the tokens of a host, number of jobs to search, tokens of ended processes
-- Returns the other tokens of that host.
local queue, lease_prefix, host, limit = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local ended = {}
for position = 4, #ARGV do
  ended[ARGV[position]] = true
end

local others, seen = {}, {}
for _, id in ipairs(redis.call('ZRANGE', queue, 0, limit - 1)) do
  local token = redis.call('GET', lease_prefix .. id)
  if token and ended[token] then
    redis.call('DEL', lease_prefix .. id)
  elseif token and not seen[token] and string.sub(token, 1, #host) == host then
    seen[token] = true
    others[#others + 1] = token
  end
end
return others
