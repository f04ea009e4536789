"""`/scan/…`: what answers without a login for who holds a link."""

from django.urls import path

from sessions_app import public_views

app_name = "public"

urlpatterns = [
    path("<str:token>/", public_views.scan, name="scan"),
    path("<str:token>/state/", public_views.state, name="scan_state"),
    path("<str:token>/digits/", public_views.digits, name="scan_digits"),
    path("<str:token>/again/", public_views.again, name="scan_again"),
]
