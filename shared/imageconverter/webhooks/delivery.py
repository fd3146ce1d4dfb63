"""Deliveries: an event, an endpoint, and how sending one to the other has gone."""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

DeliveryStatus = Literal["waiting", "delivered", "failed"]


class Delivery(BaseModel):
    """An event that is sent to one endpoint."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The id of the event."""
    type: str
    at: int
    """When it happened, in seconds since 1970."""
    body: str
    status: DeliveryStatus = "waiting"
    attempts: int = 0
    response: int = 0
    """The HTTP status of the last attempt; 0 if there was no response."""
    error: str = ""
    """Why the last attempt failed."""
    attempted_at: int = 0
    """When the last attempt ended, in seconds since 1970; 0 before the first."""
    next_at: int = 0
    """When the next attempt is made; 0 if there is none, or at once."""


class EndpointRecord(BaseModel):
    """An endpoint as Redis has it: without what may be secret in its URL."""

    model_config = ConfigDict(frozen=True)

    id: str
    origin: str
    """Scheme, host and port of its URL."""
    events: tuple[str, ...]
    """The types of events that it gets."""
    disabled: str = ""
    """Why nothing is sent to it until a reporter is started, or ""."""


class EndpointLog(NamedTuple):
    """An endpoint and its last deliveries."""

    endpoint: EndpointRecord
    waiting: int
    """Number of deliveries that wait."""
    deliveries: list[Delivery]
    """The next of those that wait, and the last of those that have ended; the newest event first."""
