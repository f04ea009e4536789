"""`/contacts`: contacts by WeChat id, and what can still be sent to each."""

from typing import Annotated

from django.http import Http404
from django.utils import timezone
from ninja import Path, Query, Router, Status

from messaging.api.auth import ApiRequest, allowed
from messaging.api.endpoints.messages import WITHOUT_NUL
from messaging.api.errors import ERRORS, NotAvailable
from messaging.api.schemas import ContactIn, ContactOut, ContextOut, TypingIn
from messaging.conversations.access import conversations_of, newest_with_or_404
from messaging.models import Conversation
from messaging.replying import queries, services, typing_sign
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope

router = Router(tags=["contacts"])

WeChatId = Annotated[str, Path(description="The person's WeChat id, percent-encoded.")]


TeamName = Annotated[
    str,
    Query(
        max_length=80,
        pattern=WITHOUT_NUL,
        description="Whose name and note. Left out: the team of the newest conversation.",
    ),
]


def _newest(user: User, user_id: str, team: str = "") -> Conversation:
    if "\0" in user_id:
        raise Http404
    return newest_with_or_404(user, user_id, team_name=team)


def contact_out(user: User, conversation: Conversation) -> ContactOut:
    """`contexts` holds the sessions of the teams in which the caller sees this contact."""
    contact, words = conversation.contact, conversation.contact_words
    mine = conversations_of(user).filter(contact=contact).select_related("contact")
    seen = queries.person_contexts(*mine, now=timezone.now())
    return ContactOut(
        user_id=contact.user_id,
        name=words.name or None,
        note=words.note or None,
        fields={},
        blocked=False,
        contexts=[
            ContextOut(
                session=one.session.name,
                expires_at=one.closes_at,
                remaining=one.replies_left,
                usable=one.usable,
            )
            for one in seen
        ],
    )


@router.get("/contacts/{user_id}", response={200: ContactOut, **ERRORS}, summary="One person")
def one_contact(request: ApiRequest, user_id: WeChatId, team: TeamName = "") -> ContactOut:
    """Each team has a name and a note of its own for a contact: choose with `team`."""
    user = allowed(request, Scope.READ)
    return contact_out(user, _newest(user, user_id, team))


@router.patch(
    "/contacts/{user_id}", response={200: ContactOut, **ERRORS}, summary="Change a person"
)
def change(
    request: ApiRequest, user_id: WeChatId, body: ContactIn, team: TeamName = ""
) -> ContactOut:
    """Changes what one team sees. An empty or null `name` or `note` removes it.

    Name the `team` if you are in several. `fields` and `blocked` answer 501.
    """
    user = allowed(request, Scope.CONTACTS, Capability.ANSWER)
    found = _newest(user, user_id, team)
    contact, team_id = found.contact, found.team_id
    for field in sorted(body.model_fields_set - {"name", "note"}):
        raise NotAvailable(f"Changing {field}", field=field)
    if "name" in body.model_fields_set:
        services.rename_contact(contact=contact, team_id=team_id, name=body.name or "", user=user)
    if "note" in body.model_fields_set:
        services.write_contact_note(
            contact=contact, team_id=team_id, note=body.note or "", user=user
        )
    return contact_out(user, _newest(user, user_id, found.team.name))


@router.post(
    "/contacts/{user_id}/typing",
    response={202: None, **ERRORS},
    summary="Show that somebody types",
)
def typing(request: ApiRequest, user_id: WeChatId, body: TypingIn) -> Status[None]:
    """`on: true` lasts a few seconds: repeat it every 3 s.

    No sign is shown where no reply can be sent.
    """
    user = allowed(request, Scope.SEND, Capability.ANSWER)
    conversation = _newest(user, user_id)
    if not body.on:
        typing_sign.stop(conversation)
    elif (session_id := queries.usable_route(conversation)) is not None:
        typing_sign.show(conversation, session_id)
    return Status(202, None)
