"""Requests with the header `Idempotency-Key`, which are carried out once however often they are sent."""
