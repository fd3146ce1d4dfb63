-- Add counts to the current minute.
-- KEYS: none; the key of the minute is built here, by the clock of Redis
-- ARGV: prefix of the minutes' keys, seconds for which they are kept, then alternately name and count
local prefix, kept_seconds = ARGV[1], ARGV[2]

local minute = prefix .. math.floor(now_seconds() / 60)
for position = 3, #ARGV, 2 do
  redis.call('HINCRBY', minute, ARGV[position], ARGV[position + 1])
end
return redis.call('EXPIRE', minute, kept_seconds)
