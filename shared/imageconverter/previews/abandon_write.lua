-- Mark what was written of a generation that will not be published for deletion, at once.
-- ARGV: id
-- Returns the time of its removal.
local id = ARGV[3]

redis.call('ZREM', PENDING_WRITES, id)
redis.call('ZADD', PENDING_DELETES, now_ms(), id)
return redis.call('ZSCORE', PENDING_DELETES, id)
