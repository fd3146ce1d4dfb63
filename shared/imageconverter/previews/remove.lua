-- Remove a group.
-- ARGV: id
-- Returns its fields.
local id = ARGV[3]

return drop(id)
