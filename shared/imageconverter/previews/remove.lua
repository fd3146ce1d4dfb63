-- Remove one group.
-- ARGV: id
-- Returns the group as it was.
return drop(ARGV[3])
