-- Let go of a job, but only while the lease is still this token's.
-- KEYS: lease, queue, payload, tries
-- ARGV: token, id, 1: done / 0: run again, ms to move its time by, 1: this was a try / 0: it goes well, tries begin anew
-- Returns 1, or 0 where the lease was lost: the job then belongs to whoever holds it.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[3] == '1' then
  redis.call('ZREM', KEYS[2], ARGV[2])
  redis.call('DEL', KEYS[3], KEYS[4])
  return 1
end
redis.call('ZINCRBY', KEYS[2], ARGV[4], ARGV[2])
if ARGV[5] == '0' then
  redis.call('DEL', KEYS[4])
end
return 1
