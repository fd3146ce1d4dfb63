-- Note that the objects of a group that were to be deleted are, unless it was removed once more since.
-- ARGV: id, time at which it was removed
if redis.call('ZSCORE', LEAVING, ARGV[3]) == ARGV[4] then
  return redis.call('ZREM', LEAVING, ARGV[3])
end
return 0
