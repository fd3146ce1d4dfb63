-- List groups whose objects have to be deleted, including those whose write was never published.
-- ARGV: maximum number of groups, time in ms after which a pending write counts as abandoned
-- Returns alternately id and time of removal, without groups that are being written.
local count, write_timeout = ARGV[3], ARGV[4]

local abandoned_before = steady_ms() - write_timeout
for _, id in ipairs(redis.call('ZRANGEBYSCORE', PENDING_WRITES, '-inf', abandoned_before, 'LIMIT', 0, count)) do
  redis.call('ZREM', PENDING_WRITES, id)
  redis.call('ZADD', PENDING_DELETES, steady_ms(), id)
end
local pending = redis.call('ZRANGE', PENDING_DELETES, 0, count - 1, 'WITHSCORES')
local found = {}
for position = 1, #pending, 2 do
  local id, removed_at = pending[position], pending[position + 1]
  if not redis.call('ZSCORE', PENDING_WRITES, id) then
    table.insert(found, id)
    table.insert(found, removed_at)
  end
end
return found
