-- Create a group as read from the store, unless it exists or its objects are being deleted.
-- ARGV: id, generation, creation time in ms, bytes of the source, number of contexts, the contexts,
--       then alternately format and record of each preview
-- Returns 1 if it was created, else 0.
local id, generation, created, source_bytes, contexts = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local first_context = 8
local first_preview = first_context + contexts

if redis.call('EXISTS', GROUP .. id) == 1 or redis.call('ZSCORE', PENDING_DELETES, id) then
  return 0
end
redis.call('HSET', GROUP .. id, 'gen', generation, 'made', created)
grow(id, source_bytes)
for position = first_context, first_preview - 1 do
  add_context(id, ARGV[position])
end
set_previews(id, first_preview)
redis.call('ZADD', ACCESSED, steady_ms(), id)
return 1
