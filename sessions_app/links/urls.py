"""`/scan/…`: pages that need a scan link instead of a login."""

from django.urls import path

from sessions_app.links import views

app_name = "public"

urlpatterns = [
    path("<str:token>/", views.scan, name="scan"),
    path("<str:token>/state/", views.state, name="scan_state"),
    path("<str:token>/digits/", views.digits, name="scan_digits"),
    path("<str:token>/again/", views.again, name="scan_again"),
]
