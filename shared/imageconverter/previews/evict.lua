-- Remove the least recently used groups while they are idle too long or a limit is exceeded.
-- ARGV: maximum number of groups to remove, maximum idle time in ms, maximum number of groups, maximum total bytes
-- Returns the ids of the removed groups.
local count, max_idle, max_keys, max_bytes = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])

local idle_before = steady_ms() - max_idle
local evicted = {}
while #evicted < count do
  local id, accessed = unpack(redis.call('ZRANGE', ACCESSED, 0, 0, 'WITHSCORES'))
  if not id or not (
    tonumber(accessed) < idle_before
    or redis.call('ZCARD', ACCESSED) > max_keys
    or tonumber(redis.call('GET', TOTAL) or 0) > max_bytes
  ) then
    break
  end
  drop(id)
  table.insert(evicted, id)
end
return evicted
