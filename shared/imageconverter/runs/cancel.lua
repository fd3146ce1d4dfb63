-- End a run that is running before all of its sources are converted: drop its jobs that are not running.
-- KEYS: the run, the batch queue
-- ARGV: prefix of the ids of its jobs, prefix of the job keys, prefix of the lease keys, its state from now on, reason
-- Returns how many of its sources are being converted.
local run, queue = KEYS[1], KEYS[2]
local id_prefix, job_prefix, lease_prefix, end_state, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if redis.call('HGET', run, 'state') == 'running' then
  if reason ~= '' then
    redis.call('HSET', run, 'reason', reason)
  end
  end_run(run, end_state)
end
local running, dropped = 0, 0
for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
  if string.sub(id, 1, #id_prefix) == id_prefix then
    local is_source = string.match(string.sub(id, #id_prefix + 1), '^%d+$')
    if redis.call('EXISTS', lease_prefix .. id) == 1 then
      if is_source then running = running + 1 end
    elseif is_source then
      redis.call('ZREM', queue, id)
      redis.call('DEL', job_prefix .. id)
      dropped = dropped + 1
    end
  end
end
if dropped > 0 then
  redis.call('HINCRBY', run, 'recorded', dropped)
end
return running
