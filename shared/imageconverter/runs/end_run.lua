-- End a run, and record that for webhooks with all that is known of it; this text stands before scripts that end runs.
local function end_run(run, state)
  redis.call('HSET', run, 'state', state, 'ended', now_seconds())
  record_event('run.finished', string.match(run, '[^:]+$'), redis.call('HGETALL', run))
end

