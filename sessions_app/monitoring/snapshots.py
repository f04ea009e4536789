"""The numbers of one process as bytes, and the numbers of several processes as one page.

A worker writes its snapshot beside its heartbeat; a web process renders its own numbers and those
of the workers that live. Each sample gets the label `process`, so that none hides another.
"""

import json
import os
import socket
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sessions_app.monitoring.meters import REGISTRY

CONTENT_TYPE = CONTENT_TYPE_LATEST
MOST_BYTES = 4 * 1024 * 1024
"""Of an unpacked snapshot; ours have some 20 kB."""

_role = "web"


def set_role(role: str) -> None:
    """Say what this process is: `console`, `poller`, `worker`; without a call it is `web`."""
    global _role
    _role = role


def role() -> str:
    return _role


def process_name(host: str = "", pid: int = 0) -> str:
    """The value of the label `process`: of another process, or of this one."""
    return f"{host or socket.gethostname()}:{pid or os.getpid()}"


def families() -> list[Metric]:
    """What this process has counted."""
    return [*REGISTRY.collect(), _info()]


def _info() -> Metric:
    info = Metric("weilink_process_info", "1 for every process of the console; its role.", "gauge")
    info.add_sample("weilink_process_info", {"role": _role}, 1)
    return info


def packed() -> bytes:
    """The families as bytes: some 2 kB."""
    written = [
        [one.name, one.documentation, one.type, [[s.name, s.labels, s.value] for s in one.samples]]
        for one in families()
    ]
    return zlib.compress(json.dumps(written, separators=(",", ":")).encode())


def unpacked(snapshot: bytes) -> list[Metric]:
    """What `packed` wrote; nothing if it cannot be read, as of another release."""
    try:
        text = zlib.decompressobj().decompress(bytes(snapshot), MOST_BYTES)
        return [_metric(*one) for one in json.loads(text)]
    except (zlib.error, ValueError, TypeError, AttributeError):
        return []


def _metric(
    name: str, words: str, kind: str, samples: list[tuple[str, dict[str, str], float]]
) -> Metric:
    metric = Metric(name, words, kind)
    for sample, labels, value in samples:
        metric.add_sample(sample, labels, float(value))
    return metric


class _Together(Collector):
    """One family per name, with the samples of all processes."""

    def __init__(self, found: Mapping[str, Iterable[Metric]], shared: Iterable[Metric]) -> None:
        self._found = found
        self._shared = shared

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for process, metrics in self._found.items():
            for metric in metrics:
                whole = merged.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for one in metric.samples:
                    whole.add_sample(one.name, {**one.labels, "process": process}, one.value)
        yield from merged.values()
        yield from self._shared


def page(found: Mapping[str, Iterable[Metric]], shared: Iterable[Metric]) -> bytes:
    """Prometheus' text format. `found`: process → its families; `shared`: of the database."""
    registry = CollectorRegistry(auto_describe=False)
    together: Any = _Together(found, list(shared))
    registry.register(together)
    return generate_latest(registry)
