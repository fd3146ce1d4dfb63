-- What the scripts of the index have in common; this text stands before each of them.
-- KEYS: ids by last access, total bytes, ids that arrive, ids that leave
-- ARGV: prefix of groups, prefix of contexts, then what the script itself takes
local ACCESSED, TOTAL, ARRIVING, LEAVING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local GROUP, CONTEXT = ARGV[1], ARGV[2]

local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function grow(id, bytes)
  redis.call('HINCRBY', GROUP .. id, 'bytes', bytes)
  redis.call('INCRBY', TOTAL, bytes)
end

-- The size is the first word of a preview's text.
local function size(preview)
  return preview and tonumber(string.match(preview, '^%d+')) or 0
end

-- Write the previews that stand from ARGV[first] on, format and text in turn.
local function extend(id, first)
  for position = first, #ARGV, 2 do
    local field, preview = 'f:' .. ARGV[position], ARGV[position + 1]
    grow(id, size(preview) - size(redis.call('HGET', GROUP .. id, field)))
    redis.call('HSET', GROUP .. id, field, preview)
  end
end

-- Returns 1 where the context is new to the group.
local function join(id, context)
  if context == '' or redis.call('HSETNX', GROUP .. id, 'c:' .. context, '') == 0 then
    return 0
  end
  redis.call('SADD', CONTEXT .. context, id)
  return 1
end

-- Forget a group, and note in the same step that its objects are to be deleted; returns what it was.
-- It is noted without a group as well: the store may have objects, and somebody may be about to restore them.
local function drop(id)
  local group = redis.call('HGETALL', GROUP .. id)
  for position = 1, #group, 2 do
    local field = group[position]
    if string.sub(field, 1, 2) == 'c:' then
      redis.call('SREM', CONTEXT .. string.sub(field, 3), id)
    elseif field == 'bytes' then
      redis.call('DECRBY', TOTAL, group[position + 1])
    end
  end
  redis.call('DEL', GROUP .. id)
  redis.call('ZREM', ACCESSED, id)
  redis.call('ZADD', LEAVING, now(), id)
  return group
end
