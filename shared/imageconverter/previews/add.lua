-- Add previews to a group that still has their generation.
-- ARGV: id, generation, then format and text of each preview
-- Returns 1, or 0 where the group is gone or has another generation.
if redis.call('HGET', GROUP .. ARGV[3], 'gen') ~= ARGV[4] then
  return 0
end
extend(ARGV[3], 5)
return 1
