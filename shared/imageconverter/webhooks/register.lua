-- Make the given endpoints all that there are, and delete everything of the others.
-- KEYS: endpoints, recorded events
-- ARGV: 1: also enable those that are disabled / 0: keep those that are known as they are,
--       prefixes of the keys of due deliveries, of logs, of deliveries and of leases, then id and record of each endpoint
-- Returns the number of endpoints.
local endpoints, events = KEYS[1], KEYS[2]
local enables = ARGV[1] == '1'
local due_prefix, log_prefix, deliveries_prefix, lease_prefix = ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local given = {}
for position = 6, #ARGV, 2 do
  local id, record = ARGV[position], ARGV[position + 1]
  given[id] = true
  if enables or redis.call('HEXISTS', endpoints, id) == 0 then
    redis.call('HSET', endpoints, id, record)
  end
end
for _, id in ipairs(redis.call('HKEYS', endpoints)) do
  if not given[id] then
    redis.call('HDEL', endpoints, id)
    redis.call('DEL', due_prefix .. id, log_prefix .. id, deliveries_prefix .. id, lease_prefix .. id)
  end
end
if #ARGV < 6 then
  redis.call('DEL', events)
end
return (#ARGV - 5) / 2
