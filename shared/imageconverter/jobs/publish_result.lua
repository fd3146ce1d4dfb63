-- End a flight: leave the outcome once for each who waits, so that whoever asks from now on starts another.
-- KEYS: flight, waiters, reply   ARGV: id, outcome, its life in seconds
local waiters = tonumber(redis.call('GET', KEYS[2]) or '0')
for _ = 1, waiters do
  redis.call('RPUSH', KEYS[3], ARGV[2])
end
if waiters > 0 then
  redis.call('EXPIRE', KEYS[3], ARGV[3])
  redis.call('DEL', KEYS[2])
end
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return waiters
