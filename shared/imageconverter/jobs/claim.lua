-- Take jobs of a queue that nobody works on, each under a lease with the taker's token.
-- KEYS: queue
-- ARGV: prefix of the lease keys, token, lease in ms, how many, how far to look,
--       prefix of tries, tries that make a suspect, 1: take one suspect / 0: take none
-- Returns whether a suspect waits, then id, score, id, score, …
-- Running jobs stay in the queue, so the look has to reach past those of the whole fleet;
-- in growing steps, because mostly a free one is near the head.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wanted, taken = tonumber(ARGV[4]) * 2, {0}
local offset, step, far = 0, tonumber(ARGV[4]) + 16, tonumber(ARGV[5])
while #taken <= wanted and offset < far do
  local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES', 'LIMIT', offset, step)
  for i = 1, #ids, 2 do
    if #taken > wanted then break end
    local lease = ARGV[1] .. ids[i]
    if redis.call('EXISTS', lease) == 0 then
      local is_suspect = tonumber(redis.call('GET', ARGV[6] .. ids[i]) or 0) >= tonumber(ARGV[7])
      if is_suspect == (ARGV[8] == '1') then
        redis.call('SET', lease, ARGV[2], 'PX', ARGV[3])
        taken[#taken + 1] = ids[i]
        taken[#taken + 1] = ids[i + 1]
      elseif is_suspect then
        taken[1] = 1
      end
    end
  end
  if #ids < step * 2 then break end
  offset, step = offset + step, step * 2
end
return taken
