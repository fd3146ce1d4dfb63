"""What tests of the gateway share."""

from tests.testing.login_failures import no_failures

__all__ = ["no_failures"]
