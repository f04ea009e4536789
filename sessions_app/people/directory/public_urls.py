"""`/password/…` and `/join/…`: pages that need a one-time link instead of a login."""

from django.urls import path

from sessions_app.people.directory import public_views

app_name = "welcome"

urlpatterns = [
    path("password/<str:code>/", public_views.password, name="password"),
    path("join/<str:code>/", public_views.join, name="join"),
]
