"""`/accounts/`: signing in and out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from sessions_app.people import views

app_name = "accounts"

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("login/language/", views.language, name="login_language"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
