-- Remove pending sources that a run converts, unless they were submitted again.
-- KEYS: pending sources
-- ARGV: of each source its path and the number of its submission
-- Returns 1.
local pending = KEYS[1]

for position = 1, #ARGV, 2 do
  if redis.call('ZSCORE', pending, ARGV[position]) == ARGV[position + 1] then
    redis.call('ZREM', pending, ARGV[position])
  end
end
return 1
