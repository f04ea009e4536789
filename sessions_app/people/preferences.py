"""What a person sets for themselves."""

from django.conf import settings

from sessions_app.people.models import User


def choose_language(*, user: User, language: str) -> None:
    """Show this person the console in `language`. Raises ValueError for one it does not speak."""
    if language not in dict(settings.LANGUAGES):
        raise ValueError(language)
    user.language = language
    user.save(update_fields=["language"])
