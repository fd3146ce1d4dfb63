-- List groups whose objects are to be deleted; those that never arrived are among them.
-- ARGV: how many at most, milliseconds after which an arrival is given up
-- Returns id and time in turn, without the groups that are arriving.
local given_up = now() - ARGV[4]
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ARRIVING, '-inf', given_up, 'LIMIT', 0, ARGV[3])) do
  redis.call('ZREM', ARRIVING, id)
  redis.call('ZADD', LEAVING, now(), id)
end
local leaving = redis.call('ZRANGE', LEAVING, 0, ARGV[3] - 1, 'WITHSCORES')
local found = {}
for position = 1, #leaving, 2 do
  if not redis.call('ZSCORE', ARRIVING, leaving[position]) then
    table.insert(found, leaving[position])
    table.insert(found, leaving[position + 1])
  end
end
return found
