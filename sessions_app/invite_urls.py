"""`/invite/…`: invitations answer without a login, each visitor known by a cookie."""

from django.urls import path

from sessions_app import invite_views

app_name = "invite"

urlpatterns = [
    path("<str:code>/", invite_views.page, name="page"),
    path("<str:code>/state/", invite_views.state, name="state"),
    path("<str:code>/digits/", invite_views.digits, name="digits"),
    path("<str:code>/again/", invite_views.again, name="again"),
]
