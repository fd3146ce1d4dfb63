"""Tests of events and of the outbox of webhooks."""
