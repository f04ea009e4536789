"""`/account/`: the page where users edit their own settings."""

from django.urls import path

from sessions_app.people.account import security, views

app_name = "account"

urlpatterns = [
    path("", views.account, name="account"),
    path("theme/", views.theme, name="theme"),
    path("password/", security.password, name="password"),
    path("password/new/", security.new_password, name="new_password"),
    path("browsers/", security.sign_out, name="sign_out"),
    path("browsers/others/", security.sign_out_others, name="sign_out_others"),
    path("tokens/", security.make_token, name="tokens"),
    path("tokens/<int:pk>/revoke/", security.revoke_token, name="revoke_token"),
]
