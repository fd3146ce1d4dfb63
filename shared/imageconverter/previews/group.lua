-- Prelude of the index's scripts: the named keys and the functions they share.
-- KEYS: sorted set of ids by last access, total bytes, sorted sets of ids with pending writes and pending deletes,
--       set of all contexts
-- ARGV: prefix of group keys, prefix of context keys, then the script's own arguments from ARGV[3]
local ACCESSED, TOTAL, PENDING_WRITES, PENDING_DELETES, CONTEXTS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local GROUP, CONTEXT = ARGV[1], ARGV[2]

local function grow(id, bytes)
  redis.call('HINCRBY', GROUP .. id, 'bytes', bytes)
  redis.call('INCRBY', TOTAL, bytes)
end

-- The size is the first word of a preview's record.
local function size(record)
  return record and tonumber(string.match(record, '^%d+')) or 0
end

-- Write the previews in ARGV from position *first* on: alternately format and record.
local function set_previews(id, first)
  for position = first, #ARGV, 2 do
    local field, record = 'f:' .. ARGV[position], ARGV[position + 1]
    grow(id, size(record) - size(redis.call('HGET', GROUP .. id, field)))
    redis.call('HSET', GROUP .. id, field, record)
  end
end

-- Returns 1 if the context is new to the group. Clients need no key to send one, so a group has a bounded number of
-- them: further ones are not recorded.
local MAX_CONTEXTS = 256
local function add_context(id, context)
  if context == '' or redis.call('HEXISTS', GROUP .. id, 'c:' .. context) == 1 then
    return 0
  end
  local count = 0
  for _, field in ipairs(redis.call('HKEYS', GROUP .. id)) do
    if string.sub(field, 1, 2) == 'c:' then
      count = count + 1
    end
  end
  if count >= MAX_CONTEXTS then
    return 0
  end
  redis.call('HSET', GROUP .. id, 'c:' .. context, '')
  if redis.call('SADD', CONTEXT .. context, id) == 1 then
    redis.call('SADD', CONTEXTS, context)
  end
  return 1
end

-- Remove a group from the index and mark its objects for deletion; returns its fields.
-- An unknown id is marked as well: the store may have objects of it, and a restore of them may be under way.
local function drop(id)
  local fields = redis.call('HGETALL', GROUP .. id)
  for position = 1, #fields, 2 do
    local field = fields[position]
    if string.sub(field, 1, 2) == 'c:' then
      local context = string.sub(field, 3)
      redis.call('SREM', CONTEXT .. context, id)
      if redis.call('EXISTS', CONTEXT .. context) == 0 then
        redis.call('SREM', CONTEXTS, context)
      end
    elseif field == 'bytes' then
      redis.call('DECRBY', TOTAL, fields[position + 1])
    end
  end
  redis.call('DEL', GROUP .. id)
  redis.call('ZREM', ACCESSED, id)
  redis.call('ZADD', PENDING_DELETES, steady_ms(), id)
  return fields
end
