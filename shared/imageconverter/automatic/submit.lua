-- Put sources at the end of the pending ones, or again if they are there.
-- KEYS: pending sources, state, submitted versions
-- ARGV: largest number of pending sources, lifetime of the submitted versions in ms, their largest number;
--       then of each source its path, and the version that is submitted once only, or ""
-- Returns the number of sources that were put there. If there is no room for one, a scan is requested.
local pending, state, submitted = KEYS[1], KEYS[2], KEYS[3]
local max_pending, submitted_ms, max_submitted = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local sources = {unpack(ARGV, 4)}

local count = 0
for position = 1, #sources, 2 do
  local path, version = sources[position], sources[position + 1]
  local is_new = version == '' or redis.call('SADD', submitted, version) == 1
  if is_new and not redis.call('ZSCORE', pending, path) and redis.call('ZCARD', pending) >= max_pending then
    redis.call('HSET', state, 'requested', 1)
    redis.call('SREM', submitted, version)
  elseif is_new then
    -- Larger than all before, also if Redis has lost them: it distinguishes the submissions of a source.
    local number = math.max(now_ms(), tonumber(redis.call('HGET', state, 'number') or 0) + 1)
    redis.call('HSET', state, 'number', number)
    redis.call('ZADD', pending, number, path)
    count = count + 1
  end
end
if redis.call('SCARD', submitted) > max_submitted then
  redis.call('DEL', submitted)
elseif redis.call('PTTL', submitted) == -1 then
  redis.call('PEXPIRE', submitted, submitted_ms)
end
return count
