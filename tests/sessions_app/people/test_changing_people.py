"""Names, roles and teams are changed, people disabled and enabled, and one administrator stays."""

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.test import Client

from sessions_app.models import ApiToken, Team, User
from sessions_app.people.directory import services
from sessions_app.people.directory.errors import DirectoryError, LastAdministrator, Oneself
from sessions_app.people.roles import Capability, Role, may, teams_of
from sessions_app.people.tokens import issue_token
from sessions_app.realtime.rights import login_of, rights_now
from tests.api.callers import Caller
from tests.conftest import Cast, make_user
from tests.sessions_app.people.directory_pages import PEOPLE, as_, change, log_in

pytestmark = pytest.mark.django_db


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def test_roles_and_teams_hold_from_the_next_request_on(cast: Cast) -> None:
    browser, client = as_(cast.agent), as_(cast.administrator)
    answer = change(client, cast.agent, "operator", teams=[cast.other_team.pk], name="Wei Wang")
    assert (answer.status_code, answer["Location"]) == (302, f"{PEOPLE}{cast.agent.pk}/")
    assert "Saved." in client.get(answer["Location"]).content.decode()
    wei = fresh(cast.agent)
    assert (wei.display_name, [*teams_of(wei)]) == ("Wei Wang", [cast.other_team])
    assert browser.get("/inbox/").status_code == 403
    assert browser.get("/sessions/").status_code == 200


def test_a_name_in_two_parts_stays_so_until_it_is_changed(cast: Cast) -> None:
    User.objects.filter(pk=cast.agent.pk).update(first_name="Wei", last_name="Wang")
    change(as_(cast.administrator), cast.agent, "agent")
    assert fresh(cast.agent).last_name == "Wang"
    change(as_(cast.administrator), cast.agent, "agent", name="Wei W.")
    assert (fresh(cast.agent).first_name, fresh(cast.agent).last_name) == ("Wei W.", "")


def test_groups_that_are_no_roles_stay(cast: Cast) -> None:
    cast.agent.groups.create(name="night shift")
    change(as_(cast.administrator), cast.agent, "viewer")
    assert {group.name for group in cast.agent.groups.all()} == {"night shift", "viewer"}


def test_a_change_of_somebody_else_meanwhile_is_not_overwritten(cast: Cast) -> None:
    client, seen = as_(cast.administrator), services.fingerprint(cast.agent)
    change(client, cast.agent, "supervisor")
    answer = change(client, cast.agent, "viewer", seen=seen)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "somebody changed this person meanwhile" in page
    assert 'value="supervisor" id="id_roles_2" checked' in page  # what is so now
    assert {group.name for group in cast.agent.groups.all()} == {"supervisor"}


def test_a_wrong_form_says_so_and_changes_nothing(cast: Cast) -> None:
    answer = change(as_(cast.administrator), cast.agent)
    assert answer.status_code == 422
    assert "Choose at least one." in answer.content.decode()
    assert {group.name for group in cast.agent.groups.all()} == {"agent"}


def test_nobody_takes_away_the_own_role(cast: Cast) -> None:
    make_user("bob", Role.ADMINISTRATOR)
    answer = change(as_(cast.administrator), cast.administrator, "agent")
    assert answer.status_code == 422
    assert "Ask another administrator" in answer.content.decode()
    assert may(fresh(cast.administrator), Capability.ADMINISTER)
    change(as_(cast.administrator), cast.administrator, "administrator", "agent")
    assert cast.administrator.groups.count() == 2


def test_the_last_administrator_stays_one(cast: Cast) -> None:
    client = as_(cast.administrator)
    answer = change(client, cast.administrator, "agent")
    assert "This is the last active administrator." in answer.content.decode()
    answer = client.post(f"{PEOPLE}{cast.administrator.pk}/disable/")
    assert answer.status_code == 422
    assert "This is the last active administrator." in answer.content.decode()
    assert fresh(cast.administrator).is_active


def test_who_is_disabled_does_not_count_as_an_administrator(cast: Cast) -> None:
    bob = make_user("bob", Role.ADMINISTRATOR)
    services.disable_person(person_id=bob.pk, by=cast.administrator)
    with pytest.raises(LastAdministrator):
        services.disable_person(person_id=cast.administrator.pk, by=cast.administrator)


def test_a_superuser_counts_as_an_administrator(cast: Cast) -> None:
    root = User.objects.create_superuser("root")
    services.disable_person(person_id=cast.administrator.pk, by=root)
    with pytest.raises(LastAdministrator):
        services.disable_person(person_id=root.pk, by=root)


def test_nobody_disables_themselves(cast: Cast) -> None:
    make_user("bob", Role.ADMINISTRATOR)
    with pytest.raises(Oneself):
        services.disable_person(person_id=cast.administrator.pk, by=cast.administrator)
    page = as_(cast.administrator).get(f"{PEOPLE}{cast.administrator.pk}/").content.decode()
    assert "/disable/" not in page


def test_only_superusers_change_superusers(cast: Cast) -> None:
    root, other = (User.objects.create_superuser(name) for name in ("root", "other"))
    assert change(as_(cast.administrator), root, "agent", teams=[cast.team.pk]).status_code == 422
    assert fresh(root).is_superuser
    with pytest.raises(DirectoryError):
        services.disable_person(person_id=root.pk, by=cast.administrator)
    change(as_(other), root, "agent", teams=[cast.team.pk])
    root = fresh(root)
    assert (root.is_superuser, root.is_staff) == (False, False)
    assert not may(root, Capability.ADMINISTER)


def test_whoever_is_no_administrator_any_more_changes_nobody(cast: Cast) -> None:
    bob = make_user("bob", Role.ADMINISTRATOR)
    services.disable_person(person_id=bob.pk, by=cast.administrator)
    with pytest.raises(PermissionDenied):
        services.disable_person(person_id=cast.agent.pk, by=bob)
    assert fresh(cast.agent).is_active


def test_disabling_ends_browsers_and_tokens(cast: Cast) -> None:
    browser = as_(cast.agent)
    _row, secret = issue_token(owner=cast.agent, name="script")
    assert Caller(secret).get("/messages").status == 200
    services.disable_person(person_id=cast.agent.pk, by=cast.administrator)
    assert browser.get("/account/").status_code == 302
    assert not cast.agent.browsers.exists()
    assert Caller(secret).get("/messages").status == 401
    assert not log_in("wei", "wei-pw")


def test_open_pages_learn_of_it_with_the_next_look_at_rights(cast: Cast) -> None:
    key = as_(cast.agent).session.session_key
    assert key is not None
    login = login_of(key, cast.agent)
    assert Capability.ANSWER in rights_now([login])[login].may
    change(as_(cast.administrator), cast.agent, "viewer", teams=[cast.other_team.pk])
    now = rights_now([login])[login]
    assert (Capability.ANSWER in now.may, now.teams) == (False, frozenset({cast.other_team.pk}))
    services.disable_person(person_id=cast.agent.pk, by=cast.administrator)
    assert rights_now([login]) == {}
    services.enable_person(person_id=cast.agent.pk, by=cast.administrator)
    assert rights_now([login]) == {}


def test_enabled_again_they_sign_in_and_their_tokens_stay_revoked(cast: Cast) -> None:
    client = as_(cast.administrator)
    issue_token(owner=cast.agent, name="script")
    services.disable_person(person_id=cast.agent.pk, by=cast.administrator)
    place = f"{PEOPLE}{cast.agent.pk}/enable/"
    assert "wei can sign in again." in client.post(place, follow=True).content.decode()
    assert "Somebody else has enabled" in client.post(place, follow=True).content.decode()
    assert client.get(place)["Location"] == f"{PEOPLE}{cast.agent.pk}/"
    assert log_in("wei", "wei-pw")
    assert {group.name for group in cast.agent.groups.all()} == {"agent"}
    assert ApiToken.objects.get().revoked_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_do_not_disable_each_other(seeded: Team) -> None:
    ada, bob = (make_user(name, Role.ADMINISTRATOR, seeded) for name in ("ada", "bob"))
    both, refused = threading.Barrier(2), []

    def disable(person: User, by: User) -> None:
        try:
            both.wait(10)
            services.disable_person(person_id=person.pk, by=by)
        except (PermissionDenied, DirectoryError) as problem:
            refused.append(problem)
        finally:
            connections.close_all()

    pairs: list[Any] = [(ada, bob), (bob, ada)]
    threads = [threading.Thread(target=disable, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    assert services.administrators().count() == 1


def test_without_a_token_of_the_form_nothing_changes(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.administrator)
    for page in ("add/", "invite/", f"{cast.agent.pk}/", f"{cast.agent.pk}/disable/"):
        assert client.post(f"{PEOPLE}{page}").status_code == 403
