"""`/contacts`: contacts by WeChat id, and what can still be sent to each."""

from typing import Annotated

from django.http import Http404
from django.utils import timezone
from ninja import Path, Router, Status

from messaging.api.auth import ApiRequest, allowed
from messaging.api.errors import ERRORS, NotAvailable
from messaging.api.schemas import ContactIn, ContactOut, ContextOut, TypingIn
from messaging.conversations.access import contact_or_404, conversations_of
from messaging.models import Contact
from messaging.replying import queries, services, typing_sign
from sessions_app.models import User
from sessions_app.people.roles import Capability
from sessions_app.people.tokens import Scope

router = Router(tags=["contacts"])

WeChatId = Annotated[str, Path(description="The person's WeChat id, percent-encoded.")]


def _contact(user: User, user_id: str) -> Contact:
    if "\0" in user_id:
        raise Http404
    return contact_or_404(user, user_id)


def contact_out(user: User, contact: Contact) -> ContactOut:
    """`contexts` holds the sessions of the teams in which the caller sees this contact."""
    mine = conversations_of(user).filter(contact=contact).select_related("contact")
    seen = queries.person_contexts(*mine, now=timezone.now())
    return ContactOut(
        user_id=contact.user_id,
        name=contact.name or None,
        note=contact.note or None,
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
def one_contact(request: ApiRequest, user_id: WeChatId) -> ContactOut:
    user = allowed(request, Scope.READ)
    return contact_out(user, _contact(user, user_id))


@router.patch(
    "/contacts/{user_id}", response={200: ContactOut, **ERRORS}, summary="Change a person"
)
def change(request: ApiRequest, user_id: WeChatId, body: ContactIn) -> ContactOut:
    """An empty or null `name` or `note` removes it. `fields` and `blocked` answer 501."""
    user = allowed(request, Scope.CONTACTS, Capability.ANSWER)
    contact = _contact(user, user_id)
    for field in sorted(body.model_fields_set - {"name", "note"}):
        raise NotAvailable(f"Changing {field}", field=field)
    if "name" in body.model_fields_set:
        services.rename_contact(contact=contact, name=body.name or "", user=user)
    if "note" in body.model_fields_set:
        services.write_contact_note(contact=contact, note=body.note or "", user=user)
    return contact_out(user, contact)


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
    mine = conversations_of(user).filter(contact=_contact(user, user_id))
    conversation = mine.select_related("contact").order_by("-last_at", "-id")[:1].get()
    if not body.on:
        typing_sign.stop(conversation)
    elif (session_id := queries.usable_route(conversation)) is not None:
        typing_sign.show(conversation, session_id)
    return Status(202, None)
