-- Look up a group and record the access.
-- ARGV: id, context or ""
-- Returns 1 if the context is new to the group, and the group's fields as they were before.
local id, context = ARGV[3], ARGV[4]

local fields = redis.call('HGETALL', GROUP .. id)
if #fields == 0 then
  return {0, fields}
end
redis.call('ZADD', ACCESSED, steady_ms(), id)
return {add_context(id, context), fields}
