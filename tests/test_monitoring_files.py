"""The alert rules, the dashboard and the page that explains the numbers name what exists."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone

from sessions_app.models import WorkerBeat
from sessions_app.monitoring import meters, snapshots
from sessions_app.sessions import leases
from tests.metric_lines import families_of, label_values, value_of
from weilink_site.monitoring import metrics_page
from weilink_site.postgresql.base import PoolUse

DOCS = Path(__file__).resolve().parent.parent / "docs"
RULES = DOCS / "monitoring/alerts.yml"
DASHBOARD = DOCS / "monitoring/grafana-dashboard.json"
NAME = re.compile(r"\b(?:weilink|process)_[a-z0-9_]+")
SUFFIX = re.compile(r"_(bucket|count|sum|gcount|gsum)$")

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    """A page in which each metric has a sample, of a worker and of a pool too."""
    monkeypatch.setattr(metrics_page, "pool_use", lambda: PoolUse(used=3, most=16, waiting=0))
    for metric in _labelled():
        metric.labels(*metric._labelnames)
    leases.register("w1")
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    return answer.content.decode()


def _labelled() -> list[Any]:
    return [one for one in vars(meters).values() if getattr(one, "_labelnames", ())]


def _expressions() -> list[str]:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return found + [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_that_rules_and_dashboard_name_exists(page: str) -> None:
    known = families_of(page)
    expressions = _expressions()
    assert len(expressions) > 30
    named = {name for one in expressions for name in NAME.findall(one)}
    assert named <= known, named - known
    for one in expressions:
        assert one.count("(") == one.count(")"), one
        assert one.count("{") == one.count("}"), one


def test_values_of_labels_in_rules_and_dashboard_exist(page: str) -> None:
    pairs = re.findall(r'(weilink_[a-z_]+)\{(\w+)="([^"]+)"', "\n".join(_expressions()))
    assert len(pairs) >= 5
    for name, label, value in pairs:
        assert value in label_values(page, name, label), (name, label, value)


def test_every_metric_is_explained_and_no_other(page: str) -> None:
    """A histogram is explained by its own name, not by those of its samples."""
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    explained = set(NAME.findall(text))
    known = {SUFFIX.sub("", name) for name in families_of(page)}
    assert known == {SUFFIX.sub("", name) for name in explained}


def test_every_alert_says_what_happened_and_how_bad_it_is() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    names = [rule["alert"] for rule in rules]
    assert len(set(names)) == len(names) > 10
    for rule in rules:
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_names_follow_the_conventions_of_prometheus(page: str) -> None:
    ours = {name for name in families_of(page) if name.startswith("weilink_")}
    counters = {name for name in ours if name.endswith("_total")}
    assert len(counters) > 8
    for line in page.splitlines():
        if line.startswith("# TYPE weilink_"):
            _, _, name, kind = line.split()
            assert (kind == "counter") == name.endswith("_total"), line
            assert not name.endswith(("_ms", "_milliseconds", "_created")), line


def test_the_numbers_of_living_workers_are_shown_and_those_of_dead_ones_are_not(
    page: str,
) -> None:
    meters.MESSAGES_RECEIVED.labels("voice").inc(0)
    before = meters.MESSAGES_RECEIVED.labels("voice")._value.get()
    for name, age_s in (("lives", 1), ("died", 60)):
        at = timezone.now() - timedelta(seconds=age_s)
        numbers = snapshots.packed()
        WorkerBeat.objects.create(worker_id=name, host=name, pid=7, heard_at=at, numbers=numbers)
    WorkerBeat.objects.create(worker_id="odd", host="odd", pid=7, numbers=b"of another release")
    later = Client().get("/metrics").content.decode()
    name = "weilink_messages_received_total"
    assert value_of(later, name, kind="voice", process="lives:7") == before
    assert "lives:7" in label_values(later, name, "process")
    assert not {"died:7", "odd:7"} & label_values(later, name, "process")


def test_a_heartbeat_without_numbers_keeps_the_old_ones() -> None:
    leases.register("w2")
    assert leases.beat("w2", b"12")
    assert leases.beat("w2")
    assert bytes(WorkerBeat.objects.get(pk="w2").numbers) == b"12"
