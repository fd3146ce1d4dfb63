-- Look up a group, and note that it was.
-- ARGV: id, context or ""
-- Returns 1 where the context is new to the group, and the group as it was before.
local id = ARGV[3]
local group = redis.call('HGETALL', GROUP .. id)
if #group == 0 then
  return {0, group}
end
redis.call('ZADD', ACCESSED, now(), id)
return {join(id, ARGV[4]), group}
