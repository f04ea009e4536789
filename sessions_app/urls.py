"""`/sessions/`. A session may have any name without a slash, so fixed words stand below one.

Actions of a session come first: no login id is as short as their names.
"""

from django.urls import path

from sessions_app import folder_views, invitation_views, link_views, login_views, views

app_name = "sessions"

urlpatterns = [
    path("", views.board, name="board"),
    path("-/changes/", views.changes, name="changes"),
    path("-/add/", views.add, name="add"),
    path("-/links/", link_views.links, name="links"),
    path("-/links/<str:link_id>/revoke/", link_views.revoke, name="revoke_link"),
    path("-/invitations/", invitation_views.invitations, name="invitations"),
    path("-/invitations/<int:pk>/revoke/", invitation_views.revoke, name="revoke_invitation"),
    path("-/folder/hand-over/", folder_views.hand_over, name="hand_over"),
    path("-/folder/take-back/", folder_views.take_back, name="take_back"),
    path("<str:name>/link/", link_views.make, name="link"),
    path("<str:name>/delete/", views.delete, name="delete"),
    path("<str:name>/rename/", views.rename, name="rename"),
    path("<str:name>/scan/", views.scan, name="scan"),
    path("<str:name>/pause/", views.pause, name="pause"),
    path("<str:name>/resume/", views.resume, name="resume"),
    path("<str:name>/default/", views.default, name="default"),
    path("<str:name>/log-out/", views.log_out, name="log_out"),
    path("logins/<str:login_id>/", login_views.login, name="login"),
    path("logins/<str:login_id>/digits/", login_views.digits, name="login_digits"),
    path("logins/<str:login_id>/resolve/", login_views.resolve, name="login_resolve"),
    path("logins/<str:login_id>/again/", login_views.again, name="login_again"),
    path("logins/<str:login_id>/link/", link_views.make_for_login, name="login_link"),
    path("logins/<str:login_id>/cancel/", login_views.cancel, name="login_cancel"),
    path("<str:name>/", views.session, name="session"),
]
