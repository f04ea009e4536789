"""What the admin pages of both apps share: rows that only the console may write, masked secrets."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

MASK = "••••••••"

# Django's classes are generic for the type checker only.
if TYPE_CHECKING:
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin, AnyInline = admin.ModelAdmin, admin.TabularInline


class RecordAdmin(AnyAdmin):
    """Rows that the worker writes: to be looked at, never added, edited or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class KeptAdmin(AnyAdmin):
    """Rows with a few editable columns; the rest (`editable_fields` apart) is read-only."""

    editable_fields: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = self.get_fields(request, obj)
        return [str(name) for name in shown if name not in self.editable_fields]


def masked(field: str, label: Any = None) -> Any:
    """A column that says only whether a secret is there."""

    @admin.display(description=label or _("token"))
    def show(self: Any, row: Any) -> str:
        return MASK if getattr(row, field) else "–"

    return show


class RecordInline(AnyInline):
    """Rows of a record, as read-only as the record."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
