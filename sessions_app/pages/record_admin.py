"""Admin classes shared by both apps: filters by what is listed, read-only rows, masked secrets."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

MASK = "••••••••"

# Django's classes are generic only for the type checker.
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin, AnyInline = admin.ModelAdmin, admin.TabularInline


SAFE_LOOKUPS = frozenset(
    ("exact", "id__exact", "isnull", "gt", "gte", "lt", "lte", "in", "year", "month", "day")
)
"""What Django's own filters and dates put behind a field's name."""


class ListedAdmin(AnyAdmin):
    """Filters only by what the page offers.

    Django lets an address filter by every column (`?qrcode__regex=…`), which reads a secret letter
    by letter.
    """

    def lookup_allowed(
        self, lookup: str, value: object, request: HttpRequest | None = None
    ) -> bool:
        offered = self.get_list_filter(request) if request is not None else self.list_filter
        names = [str(each[0]) if isinstance(each, (tuple, list)) else str(each) for each in offered]
        if self.date_hierarchy:
            names.append(self.date_hierarchy)
        return lookup in names or any(
            lookup.startswith(f"{name}__") and lookup[len(name) + 2 :] in SAFE_LOOKUPS
            for name in names
        )


class RecordAdmin(ListedAdmin):
    """Rows that only the worker writes. They cannot be added, changed or deleted in the admin."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class KeptAdmin(ListedAdmin):
    """Rows that are read-only except for the columns in `editable_fields`."""

    editable_fields: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = self.get_fields(request, obj)
        return [str(name) for name in shown if name not in self.editable_fields]


def masked(field: str, label: Any = None) -> Any:
    """A column that shows only whether a secret is set."""

    @admin.display(description=label or _("token"))
    def show(self: Any, row: Any) -> str:
        return MASK if getattr(row, field) else "–"

    return show


class RecordInline(AnyInline):
    """Read-only inline rows."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
