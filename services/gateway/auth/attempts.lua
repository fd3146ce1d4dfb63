-- Judge credentials that were presented: count wrong ones; where there were too many of late, none are looked at.
-- KEYS: the failures of an address   ARGV: failures that are let pass, milliseconds they are kept, 1 where wrong
-- Returns 0, or the milliseconds until there is another chance.
if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[1]) then
  return math.max(1, redis.call('PTTL', KEYS[1]))
end
if ARGV[3] == '1' and redis.call('INCR', KEYS[1]) == 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
