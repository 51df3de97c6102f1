"""Numbers for operators, in Prometheus format."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All metrics of one process, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.turns = Counter("fawen_turns", "Messages handled", ["channel", "result"], registry=self.registry)
        self.turn_seconds = Histogram(
            "fawen_turn_seconds",
            "From message to committed reply",
            ["channel"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        # Looked up for every message; labels are few, so each child is kept.
        self.turns_of, self.seconds_on = cache(self.turns.labels), cache(self.turn_seconds.labels)
        self.refused = Counter(
            "fawen_refused_requests",
            "Requests refused before anything was done",
            ["channel", "why"],
            registry=self.registry,
        )
        self.late = Counter("fawen_late_replies", "Replies that went through the API", registry=self.registry)
        self.api_calls = Counter("fawen_api_calls", "Calls to the platform", ["call", "result"], registry=self.registry)
        self.queue = Gauge("fawen_write_queue", "Jobs waiting for the store", registry=self.registry)
        self.entries = Gauge("fawen_entries", "Entries in the knowledge base", registry=self.registry)

    def counted(self, name: str, **labels: str) -> dict[str, int]:
        """What a counter stands at where these labels hold, by its other labels; nothing counted yet is left out."""
        found: dict[str, int] = {}
        for metric in self.registry.collect():
            for sample in metric.samples if metric.name == name else ():
                if sample.name == f"{name}_total" and labels.items() <= sample.labels.items() and sample.value:
                    key = " ".join(value for label, value in sample.labels.items() if label not in labels)
                    found[key] = found.get(key, 0) + int(sample.value)
        return found

    def render(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self.registry)
