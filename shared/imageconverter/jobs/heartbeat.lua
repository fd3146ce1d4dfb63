-- Note that a process is alive, forget those that were silent for long, return the rest.
-- KEYS: the role's live processes   ARGV: process ("" for a look only), seconds of silence allowed
local now = tonumber(redis.call('TIME')[1])
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]) - 1)
return redis.call('ZRANGE', KEYS[1], 0, -1)
