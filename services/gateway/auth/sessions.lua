-- Exchange the refresh token of a login for a new one. Each is good for one use; a token that is used again was
-- copied, and the whole login ends. For a few seconds the last one is accepted too: two tabs may refresh at once.
-- KEYS: the login
-- ARGV: id of the token presented, id of the new token, milliseconds for which the last token is accepted
-- Returns the id of the refresh token that is valid now; "" if the login has ended, "replayed" if it ends now.
local login, presented, new_id, grace = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = now_ms()
local stored = redis.call('HMGET', login, 'current', 'last', 'exchanged')
local current, last, exchanged = stored[1], stored[2], tonumber(stored[3])

if not current then
  return ''
end
if presented == current then
  redis.call('HSET', login, 'current', new_id, 'last', presented, 'exchanged', now)
  return new_id
end
if presented == last and math.abs(now - exchanged) <= grace then
  return current
end
redis.call('DEL', login)
return 'replayed'
