-- Mark a group as being written, unless the previews have too many bytes.
-- ARGV: id, the most bytes that all previews may have, "" for any number
-- Returns 1, or 0 if nothing was marked.
local id, max_bytes = ARGV[3], tonumber(ARGV[4])

if max_bytes and tonumber(redis.call('GET', TOTAL) or 0) > max_bytes then
  return 0
end
redis.call('ZADD', PENDING_WRITES, steady_ms(), id)
return 1
