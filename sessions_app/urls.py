"""`/sessions/`. A session's name may be any text without a slash, so fixed words come after it.

The actions of a session come first. Login ids are longer than their names, so they cannot clash.
"""

from django.urls import path

from sessions_app.board.views import folder, invitations, links, logins, sessions

app_name = "sessions"

urlpatterns = [
    path("", sessions.board, name="board"),
    path("-/changes/", sessions.changes, name="changes"),
    path("-/add/", sessions.add, name="add"),
    path("-/links/", links.links, name="links"),
    path("-/links/<str:link_id>/revoke/", links.revoke, name="revoke_link"),
    path("-/invitations/", invitations.invitations, name="invitations"),
    path("-/invitations/<int:pk>/revoke/", invitations.revoke, name="revoke_invitation"),
    path("-/folder/hand-over/", folder.hand_over, name="hand_over"),
    path("-/folder/take-back/", folder.take_back, name="take_back"),
    path("<str:name>/link/", links.make, name="link"),
    path("<str:name>/delete/", sessions.delete, name="delete"),
    path("<str:name>/rename/", sessions.rename, name="rename"),
    path("<str:name>/scan/", sessions.scan, name="scan"),
    path("<str:name>/pause/", sessions.pause, name="pause"),
    path("<str:name>/resume/", sessions.resume, name="resume"),
    path("<str:name>/default/", sessions.default, name="default"),
    path("<str:name>/log-out/", sessions.log_out, name="log_out"),
    path("logins/<str:login_id>/", logins.login, name="login"),
    path("logins/<str:login_id>/digits/", logins.digits, name="login_digits"),
    path("logins/<str:login_id>/resolve/", logins.resolve, name="login_resolve"),
    path("logins/<str:login_id>/again/", logins.again, name="login_again"),
    path("logins/<str:login_id>/link/", links.make_for_login, name="login_link"),
    path("logins/<str:login_id>/cancel/", logins.cancel, name="login_cancel"),
    path("<str:name>/", sessions.session, name="session"),
]
