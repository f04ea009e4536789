"""Reads a page of `/metrics` as a test wants it: the sum of a sample over its labels."""

from prometheus_client.parser import text_string_to_metric_families


def families_of(page: str) -> set[str]:
    """Names of all samples, as Prometheus' queries use them."""
    return {
        sample.name for family in text_string_to_metric_families(page) for sample in family.samples
    }


def value_of(page: str, name: str, **labels: str) -> float:
    """The sum of all samples of this name that have these labels; 0 without one."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def label_values(page: str, name: str, label: str) -> set[str]:
    return {
        sample.labels[label]
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name and label in sample.labels
    }
