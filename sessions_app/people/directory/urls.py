"""`/people/`: the pages of administrators. `/people/<pk>/disable/` is among those of the inbox."""

from django.urls import path

from sessions_app.people.directory import links_views, teams_views, views

app_name = "people"

urlpatterns = [
    path("", views.people, name="people"),
    path("add/", views.add, name="add"),
    path("invite/", links_views.invite, name="invite"),
    path("teams/", teams_views.teams, name="teams"),
    path("teams/<int:pk>/", teams_views.rename, name="rename_team"),
    path("<int:pk>/", views.person, name="person"),
    path("<int:pk>/enable/", views.enable, name="enable"),
    path("<int:pk>/link/", links_views.link, name="link"),
    path("links/<int:link_id>/revoke/", links_views.revoke, name="revoke_link"),
]
