-- Restore runs that have ended and that Redis does not know, and put all runs into the order of their starts.
-- KEYS: ids of the runs
-- ARGV: number of runs kept, prefix of the keys of runs, then of each run, the newest first, its id and its fields
-- Returns the number of runs restored.
local runs = KEYS[1]
local runs_kept, run_prefix, given = tonumber(ARGV[1]), ARGV[2], {unpack(ARGV, 3)}

local restored = 0
for index = 1, #given, 2 do
  local id, run = given[index], run_prefix .. given[index]
  if redis.call('EXISTS', run) == 0 then
    redis.call('HSET', run, unpack(cjson.decode(given[index + 1])))
    redis.call('RPUSH', runs, id)
    restored = restored + 1
  end
end
if restored == 0 then
  return 0
end
local ids, started, position = redis.call('LRANGE', runs, 0, -1), {}, {}
for index, id in ipairs(ids) do
  local state, time = unpack(redis.call('HMGET', run_prefix .. id, 'state', 'started'))
  -- A run that is running stays the last one, so that no other starts beside it.
  started[id] = state == 'running' and math.huge or tonumber(time or 0)
  position[id] = index
end
table.sort(ids, function(one, other)
  if started[one] ~= started[other] then
    return started[one] > started[other]
  end
  return position[one] < position[other]
end)
redis.call('DEL', runs)
for index, id in ipairs(ids) do
  if index <= runs_kept or redis.call('HEXISTS', run_prefix .. id, 'backed') == 1 then
    redis.call('RPUSH', runs, id)
  else
    redis.call('DEL', run_prefix .. id, run_prefix .. id .. ':done', run_prefix .. id .. ':results')
  end
end
return restored
