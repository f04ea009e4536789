"""Why a change of a person is not made.

DirectoryError         `words` say why, for the person who asked
├── Oneself            administrators neither disable themselves nor take away their own role
├── LastAdministrator  nobody else could administer the console
├── MoreRights         only superusers change people with rights in `/admin/`
├── ChangedMeanwhile   somebody changed the person since the page was drawn
├── IsDisabled         a disabled person gets no link
├── NameTaken          another person has the username
├── TeamNameTaken      another team has the name
└── TeamStays          the first team keeps its name, by which programs know it
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DirectoryError(Exception):
    """A change that is not made."""

    words: Promise = _("This is not possible.")


class Oneself(DirectoryError):  # noqa: N818 - a statement, like those below
    """The change would take away the administrator's own rights."""

    words = _("This is you. Ask another administrator to do it.")


class LastAdministrator(DirectoryError):  # noqa: N818
    """Nobody else is an active administrator."""

    words = _("This is the last active administrator. Make somebody else an administrator first.")


class MoreRights(DirectoryError):  # noqa: N818
    """The person is a superuser or may use `/admin/`, the administrator is no superuser."""

    words = _("This person also has rights in /admin/. Only a superuser can change them.")


class ChangedMeanwhile(DirectoryError):  # noqa: N818
    """The page that was sent showed something else."""

    words = _(
        "Not saved: somebody changed this person meanwhile. The form shows them as they are now."
    )


class IsDisabled(DirectoryError):  # noqa: N818
    """A disabled person cannot sign in with any password."""

    words = _("This person is disabled. Enable them first.")


class NameTaken(DirectoryError):  # noqa: N818
    """Usernames are unique; upper and lower case are one name."""

    words = _("Somebody has this username already.")


class TeamNameTaken(DirectoryError):  # noqa: N818
    """Names of teams are unique; upper and lower case are one name."""

    words = _("There is a team with this name already.")


class TeamStays(DirectoryError):  # noqa: N818
    """New accounts and the first administrator are put into the first team by its name."""

    words = _("This team cannot be renamed.")
