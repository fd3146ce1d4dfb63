-- Take jobs of a lane that nobody works on, each under a lease with the taker's token.
-- KEYS: lane   ARGV: prefix of the lease keys, token, lease in ms, how many, how far to look
-- Returns id, score, id, score, …
-- Running jobs stay in the lane, so the look has to reach past those of the whole fleet;
-- in growing steps, because mostly a free one is near the head.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wanted, taken = tonumber(ARGV[4]) * 2, {}
local offset, step, far = 0, tonumber(ARGV[4]) + 16, tonumber(ARGV[5])
while #taken < wanted and offset < far do
  local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', offset, step)
  for i = 1, #ids, 2 do
    if #taken >= wanted then break end
    if redis.call('SET', ARGV[1] .. ids[i], ARGV[2], 'NX', 'PX', ARGV[3]) then
      taken[#taken + 1] = ids[i]
      taken[#taken + 1] = ids[i + 1]
    end
  end
  if #ids < step * 2 then break end
  offset, step = offset + step, step * 2
end
return taken
