"""Metrics for Prometheus: requests, their durations, batch sizes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["ACTIVE", "BATCHES", "REQUESTS", "SECONDS", "exposition"]

REGISTRY = CollectorRegistry()
REQUESTS = Counter("gruworks_requests", "requests by route and status", ["route", "status"], registry=REGISTRY)
SECONDS = Histogram("gruworks_request_seconds", "seconds to the end of the response", ["route"], registry=REGISTRY)
ACTIVE = Gauge("gruworks_requests_active", "requests in progress", registry=REGISTRY)
BATCHES = Histogram(
    "gruworks_batch_size", "requests in one batch", ["model"], registry=REGISTRY,
    buckets=(1, 2, 4, 8, 16, 32, 64),
)  # fmt: skip


def exposition() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
