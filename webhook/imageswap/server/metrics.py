"""What the webhook counts, for Prometheus.

Source: the Prometheus naming practices (base units, ``_total``, ``_info``).
"""

import platform
from collections.abc import Iterable, Mapping
from functools import lru_cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from imageswap import __version__
from imageswap.admission import codec
from imageswap.admission.workloads import KINDS
from imageswap.registry.verdict import Outcome, Verdict
from imageswap.rules import reference
from imageswap.rules.engine import Step
from imageswap.rules.ruleset import Ruleset

CONTENT_TYPE = CONTENT_TYPE_LATEST
_CHECK_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3)
_DURATIONS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5)


class Metrics:
    """The webhook's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._admissions = self._counter(
            "admissions", "Admission reviews answered, by kind and outcome.", "kind", "outcome"
        )
        self._swaps = self._counter("swaps", "Images swapped, by the rule that did it.", "rule")
        # `labels` takes a lock and makes a key of texts, at each call.
        self._admission_child = lru_cache(self._admissions.labels)
        self._swap_child = lru_cache(self._swaps.labels)
        self._refusals = self._counter(
            "refused_requests", "HTTP requests that were no admission review.", "status"
        )
        self._seconds = Histogram(
            "imageswap_admission_seconds",
            "Time from a request's body to its answer.",
            buckets=_DURATIONS,
            registry=self._registry,
        )
        self._fallbacks = self._counter(
            "fallbacks", "Images kept as their target is not to be had.", "registry", "reason"
        )
        self._unchecked = self._counter(
            "unchecked_swaps", "Images swapped to what no registry showed.", "registry", "reason"
        )
        self._pauses = self._counter(
            "registry_pauses", "Times that a registry failed so often that it is left.", "registry"
        )
        self._check_seconds = Histogram(
            "imageswap_registry_check_seconds",
            "Time that a registry took for the manifest of one image.",
            ("registry", "outcome"),
            buckets=_CHECK_DURATIONS,
            registry=self._registry,
        )
        self._rules = self._gauge("rules", "Rules in force.")
        self._rules_info = self._gauge("rules_info", "The rules in force, by their hash.", "hash")
        self._certificate = self._gauge(
            "certificate_expiry_timestamp_seconds", "When the certificate expires, Unix time."
        )
        self._reload_failures = self._counter(
            "reload_failures", "Changed files that could not be used, by what they hold.", "what"
        )
        for what in ("rules", "certificate"):
            # A series that starts at 0 lets an alert see the first failure.
            self._reload_failures.labels(what)
        build = self._gauge("build_info", "What runs here.", "version", "python", "json")
        build.labels(__version__, platform.python_version(), codec.NAME).set(1)
        ProcessCollector(registry=self._registry)

    def admission(self, kind: str, outcome: str, seconds: float) -> None:
        """Count one answered review."""
        self._admission_child(kind if kind in KINDS else "other", outcome).inc()
        self._seconds.observe(seconds)

    def swapped(self, steps: Iterable[Step]) -> None:
        """Count the rules of one swap."""
        for step in steps:
            self._swap_child(step.rule.text).inc()

    def checked(self, verdicts: Mapping[str, Verdict]) -> None:
        """Count the images of one admission that no registry showed."""
        for image, verdict in verdicts.items():
            if verdict.outcome is not Outcome.FOUND:
                fallback = verdict.outcome is Outcome.MISSING
                counter = self._fallbacks if fallback else self._unchecked
                counter.labels(_registry(image), verdict.reason.value).inc()

    def asked(self, registry: str, verdict: Verdict, seconds: float) -> None:
        """Observe one question to a registry."""
        self._check_seconds.labels(registry, verdict.outcome.value).observe(seconds)

    def recalled(self, registry: str, verdict: Verdict) -> None:
        """Observe nothing: an answer from memory took no registry any time."""

    def paused(self, registry: str, verdict: Verdict) -> None:
        """Count a registry that is not asked for a while."""
        self._pauses.labels(registry).inc()

    def refused(self, status: int) -> None:
        """Count one request that was no admission review."""
        self._refusals.labels(str(status)).inc()

    def rules_loaded(self, ruleset: Ruleset) -> None:
        """Show the rules in force."""
        self._rules.set(len(ruleset.engine.rules))
        self._rules_info.clear()
        self._rules_info.labels(ruleset.digest).set(1)

    def certificate_loaded(self, expiry: float) -> None:
        """Show when the certificate expires, in seconds of Unix time."""
        self._certificate.set(expiry)

    def reload_failed(self, what: str) -> None:
        """Count changed files, ``rules`` or ``certificate``, that could not be used."""
        self._reload_failures.labels(what).inc()

    def render(self) -> bytes:
        """Give all metrics as ``CONTENT_TYPE``."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"imageswap_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"imageswap_{name}", text, labels, registry=self._registry)


def _registry(image: str) -> str:
    parsed = reference.parse(image)
    return f"{parsed.host}{parsed.port}" if parsed else ""
