-- Claim a request by its idempotency key, unless its response is stored or it is being carried out.
-- KEYS: the record of the request, its lease
-- ARGV: a new token, the holder of the lease, time to live of the lease and of the record in ms
-- Returns the state "stored", "busy" or "claimed"; then fingerprint, status, type and body; or the token.
local record, lease = KEYS[1], KEYS[2]
local new_token, holder, lease_ms, record_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local stored = redis.call('HMGET', record, 'fingerprint', 'status', 'type', 'body')
if stored[2] then
  return {'stored', unpack(stored)}
end
if exists_for(lease, lease_ms) then
  return {'busy'}
end
redis.call('SET', lease, holder, 'PX', lease_ms)
local token = redis.call('HGET', record, 'token')
if not token then
  token = new_token
  redis.call('HSET', record, 'token', token)
end
redis.call('PEXPIRE', record, record_ms)
return {'claimed', token}
