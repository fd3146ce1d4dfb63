-- Note that the objects of a group are being put from now on.
-- ARGV: id
return redis.call('ZADD', ARRIVING, now(), ARGV[3])
