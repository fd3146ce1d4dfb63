"""Schedules: when something is done regularly, as a cron expression in a time zone."""
