-- Remove the record of one preview from its group, unless it was replaced meanwhile.
-- ARGV: id, generation, format, record
-- Returns 1 if it was removed, else 0.
local id, generation, field, record = ARGV[3], ARGV[4], 'f:' .. ARGV[5], ARGV[6]

if redis.call('HGET', GROUP .. id, 'gen') ~= generation or redis.call('HGET', GROUP .. id, field) ~= record then
  return 0
end
grow(id, -size(record))
return redis.call('HDEL', GROUP .. id, field)
