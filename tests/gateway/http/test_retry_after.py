"""Tests of the header Retry-After."""

import pytest

from imageconverter import errors
from imageconverter.errors import ImageConverterError, TooManyAttempts
from services.gateway.http.responses import error_response


@pytest.mark.parametrize(
    ("error", "at_least"),
    [
        (errors.StoreUnavailable("x"), 1),
        (errors.QueueUnavailable("x"), 1),
        (errors.QueueFull("x"), 1),
        (errors.TooManyRequests("x"), 1),
        (errors.ConversionFailed("x"), 1),
        (errors.RequestInProgress("x"), 1),
        (errors.BucketNotOwned("x"), 5),
        (errors.RunNotStopped("x"), 5),
        (errors.RunAlreadyRunning("x"), 10),
        (errors.PreviewsFull("x"), 60),
        (TooManyAttempts("x", seconds=120), 120),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_temporary_error_says_when_to_try_again(error: ImageConverterError, at_least: int) -> None:
    """At the earliest when the condition may be over."""
    assert at_least <= int(error_response(error).headers["Retry-After"]) <= at_least + 3


@pytest.mark.parametrize(
    "error",
    [
        errors.NotConverted("x"),
        errors.NoCatalog("x"),
        errors.DatabaseFailed("x"),
        errors.RunUnreadable("x"),
        errors.CleanupRefused("x"),
        errors.IdempotencyKeyReused("x"),
        errors.InvalidValue("x"),
        errors.NotFound("x"),
        errors.Unauthorized("x"),
        errors.TooLarge("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_errors_do_not_ask_for_a_retry(error: ImageConverterError) -> None:
    """The same request would fail again until something else is changed."""
    assert "Retry-After" not in error_response(error).headers
