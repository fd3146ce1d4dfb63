-- End the lease of automatic work, unless another reporter holds it.
-- KEYS: lease
-- ARGV: token of the holder
-- Returns 1.
local lease = KEYS[1]
local token = ARGV[1]

if redis.call('GET', lease) == token then
  redis.call('DEL', lease)
end
return 1
