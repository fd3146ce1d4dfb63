-- Remove the groups that were not accessed for longest, one by one, for as long as there is a reason.
-- ARGV: how many at most, milliseconds without access, number of groups and total bytes above which there is a reason
-- Returns their ids.
local count, most_keys, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local before = now() - ARGV[4]
local evicted = {}
while #evicted < count do
  local id, accessed = unpack(redis.call('ZRANGE', ACCESSED, 0, 0, 'WITHSCORES'))
  if not id or not (
    tonumber(accessed) < before
    or redis.call('ZCARD', ACCESSED) > most_keys
    or tonumber(redis.call('GET', TOTAL) or 0) > most_bytes
  ) then
    break
  end
  drop(id)
  table.insert(evicted, id)
end
return evicted
