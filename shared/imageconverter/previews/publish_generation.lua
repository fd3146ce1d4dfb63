-- Create a group, replace its generation, or add previews to its current generation.
-- ARGV: id, generation, context or "", bytes of the source, then alternately format and record of each preview
-- Returns the generation that was replaced, or nil.
local id, generation, context, source_bytes, first_preview = ARGV[3], ARGV[4], ARGV[5], ARGV[6], 7

local group = GROUP .. id
local previous = redis.call('HGET', group, 'gen')
local replaced = previous and previous ~= generation
if replaced then
  for _, field in ipairs(redis.call('HKEYS', group)) do
    if string.sub(field, 1, 2) == 'f:' then
      redis.call('HDEL', group, field)
    end
  end
  grow(id, -redis.call('HGET', group, 'bytes'))
  redis.call('ZADD', PENDING_DELETES, steady_ms(), id)
end
if previous ~= generation then
  redis.call('HSET', group, 'gen', generation, 'made', now_ms())
  grow(id, source_bytes)
end
set_previews(id, first_preview)
add_context(id, context)
redis.call('ZADD', ACCESSED, steady_ms(), id)
redis.call('ZREM', PENDING_WRITES, id)
return replaced and previous
