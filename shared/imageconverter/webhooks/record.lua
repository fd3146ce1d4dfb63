-- Record an event for webhooks.
-- ARGV: type, subject, the data of its body as JSON
-- Returns 1.
local kind, subject, data = ARGV[1], ARGV[2], ARGV[3]

record_event(kind, subject, cjson.decode(data))
return 1
