"""`/invite/…`: invitation pages. They need no login; a cookie identifies each visitor."""

from django.urls import path

from sessions_app.invitations import views

app_name = "invite"

urlpatterns = [
    path("<str:code>/", views.page, name="page"),
    path("<str:code>/state/", views.state, name="state"),
    path("<str:code>/digits/", views.digits, name="digits"),
    path("<str:code>/again/", views.again, name="again"),
]
