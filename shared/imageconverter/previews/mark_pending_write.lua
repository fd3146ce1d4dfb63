-- Mark a group as being written.
-- ARGV: id
local id = ARGV[3]

return redis.call('ZADD', PENDING_WRITES, steady_ms(), id)
