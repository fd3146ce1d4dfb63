-- Stop a run: no job of it begins any more.
-- KEYS: the run, the batch queue   ARGV: id prefix of its jobs, prefix of payloads, prefix of leases
-- Returns how many of its sources are being worked on right now.
if redis.call('HGET', KEYS[1], 'state') == 'running' then
  redis.call('HSET', KEYS[1], 'state', 'canceled', 'ended', redis.call('TIME')[1])
end
local working, dropped = 0, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  if string.sub(id, 1, #ARGV[1]) == ARGV[1] then
    local is_source = string.match(string.sub(id, #ARGV[1] + 1), '^%d+$')
    if redis.call('EXISTS', ARGV[3] .. id) == 1 then
      if is_source then working = working + 1 end
    elseif is_source then
      redis.call('ZREM', KEYS[2], id)
      redis.call('DEL', ARGV[2] .. id)
      dropped = dropped + 1
    end
  end
end
if dropped > 0 then
  redis.call('HINCRBY', KEYS[1], 'recorded', dropped)
end
return working
