-- Record that the objects of a removed group are deleted, unless it was removed again since.
-- ARGV: id, time of the removal
local id, removed_at = ARGV[3], ARGV[4]

if redis.call('ZSCORE', PENDING_DELETES, id) == removed_at then
  return redis.call('ZREM', PENDING_DELETES, id)
end
return 0
