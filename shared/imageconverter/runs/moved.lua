-- Forget results that were moved to the store, unless somebody else has moved results since.
-- KEYS: the run, its results, the sign that they are being moved   ARGV: moved before, moved now
if tonumber(redis.call('HGET', KEYS[1], 'moved') or 0) == tonumber(ARGV[1]) then
  redis.call('LTRIM', KEYS[2], ARGV[2], -1)
  redis.call('HINCRBY', KEYS[1], 'moved', ARGV[2])
end
redis.call('DEL', KEYS[3])
return 1
