-- Count failed authentication attempts of an address; none is checked while there were too many recently.
-- KEYS: failures of the address
-- ARGV: failures allowed, milliseconds for which they count, 1 if the credentials are wrong
-- Returns 0, or the milliseconds until the next attempt is allowed.
local failures = KEYS[1]
local max_failures, window_ms, is_failure = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1'

if exists_for(failures, window_ms) and tonumber(redis.call('GET', failures)) >= max_failures then
  return math.max(1, redis.call('PTTL', failures))
end
if is_failure and redis.call('INCR', failures) == 1 then
  redis.call('PEXPIRE', failures, window_ms)
end
return 0
