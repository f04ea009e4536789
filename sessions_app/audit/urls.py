"""`/people/audit/`: the audit log."""

from django.urls import path

from sessions_app.audit import views

app_name = "audit"

urlpatterns = [
    path("", views.audit, name="audit"),
    path("export/", views.export_csv, name="export"),
]
