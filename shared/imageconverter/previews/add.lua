-- Add previews to a group if it still has the generation.
-- ARGV: id, generation, then alternately format and record of each preview
-- Returns 1, or 0 if the group does not exist or has another generation.
local id, generation, first_preview = ARGV[3], ARGV[4], 5

if redis.call('HGET', GROUP .. id, 'gen') ~= generation then
  return 0
end
set_previews(id, first_preview)
return 1
