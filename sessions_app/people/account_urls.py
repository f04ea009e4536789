"""`/account/`: the page where users edit their own settings."""

from django.urls import path

from sessions_app.people import account_views

app_name = "account"

urlpatterns = [
    path("", account_views.account, name="account"),
    path("password/", account_views.password, name="password"),
    path("theme/", account_views.theme, name="theme"),
]
