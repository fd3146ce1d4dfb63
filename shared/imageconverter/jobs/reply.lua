-- Leave the outcome of a job for who waits for it; never without an end to its life.
-- KEYS: the reply   ARGV: outcome, its life in seconds
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
