"""The gateway: decides HTTP. It parses, authorises, makes one call into the core, and answers."""
