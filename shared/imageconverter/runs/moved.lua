-- Remove results that were moved to the store, unless another process has moved results in the meantime.
-- KEYS: the run, its results, the lock on moving them
-- ARGV: number of results moved before, number moved now
-- Returns 1.
local run, results, lock = KEYS[1], KEYS[2], KEYS[3]
local moved_before, moved_now = tonumber(ARGV[1]), ARGV[2]

if tonumber(redis.call('HGET', run, 'moved') or 0) == moved_before then
  redis.call('LTRIM', results, moved_now, -1)
  redis.call('HINCRBY', run, 'moved', moved_now)
end
redis.call('DEL', lock)
return 1
