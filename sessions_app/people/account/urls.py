"""`/account/`: the page where users edit their own settings."""

from django.urls import path

from sessions_app.people.account import views

app_name = "account"

urlpatterns = [
    path("", views.account, name="account"),
    path("password/", views.password, name="password"),
    path("theme/", views.theme, name="theme"),
]
