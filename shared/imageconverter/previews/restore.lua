-- Make a group as it was read from the store, unless there is one, or its objects are being deleted.
-- ARGV: id, generation, creation in ms, bytes of the source, number of contexts, the contexts,
--       then format and text of each preview
-- Returns 1 where it was made.
local id, contexts = ARGV[3], tonumber(ARGV[7])
if redis.call('EXISTS', GROUP .. id) == 1 or redis.call('ZSCORE', LEAVING, id) then
  return 0
end
redis.call('HSET', GROUP .. id, 'gen', ARGV[4], 'made', ARGV[5])
grow(id, ARGV[6])
for position = 8, 7 + contexts do
  join(id, ARGV[position])
end
extend(id, 8 + contexts)
redis.call('ZADD', ACCESSED, now(), id)
return 1
