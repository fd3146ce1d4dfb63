-- Begin a requested scan, with the share that the requests until now allow.
-- KEYS: state, record of the scan
-- ARGV: start of the scan
-- Returns 1.
local state, record = KEYS[1], KEYS[2]
local started = ARGV[1]

local share = redis.call('HGET', state, 'share') or '0'
redis.call('DEL', record)
redis.call('HSET', record, 'started', started, 'share', share)
redis.call('HSET', state, 'cursor', '')
redis.call('HDEL', state, 'requested', 'share')
return 1
