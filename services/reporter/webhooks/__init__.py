"""Sending webhooks, by the Standard Webhooks specification (https://www.standardwebhooks.com)."""

from services.reporter.webhooks.endpoints import Endpoint, webhook_endpoints
from services.reporter.webhooks.sending import send_webhooks

__all__ = ["Endpoint", "send_webhooks", "webhook_endpoints"]
