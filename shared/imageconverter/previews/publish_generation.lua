-- Make a group, replace it by another generation, or add previews to the generation that it has.
-- ARGV: id, generation, context or "", bytes of the source, then format and text of each preview
-- Returns the generation that was replaced, or nil.
local id, generation = ARGV[3], ARGV[4]
local group = GROUP .. id
local former = redis.call('HGET', group, 'gen')
local replaced = former and former ~= generation
if replaced then
  for _, field in ipairs(redis.call('HKEYS', group)) do
    if string.sub(field, 1, 2) == 'f:' then
      redis.call('HDEL', group, field)
    end
  end
  grow(id, -redis.call('HGET', group, 'bytes'))
  redis.call('ZADD', LEAVING, now(), id)
end
if former ~= generation then
  redis.call('HSET', group, 'gen', generation, 'made', now())
  grow(id, ARGV[6])
end
extend(id, 7)
join(id, ARGV[5])
redis.call('ZADD', ACCESSED, now(), id)
redis.call('ZREM', ARRIVING, id)
return replaced and former
