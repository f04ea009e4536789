"""The user's own password, browsers and API tokens at `/account/`."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from sessions_app.pages.answers import UNPROCESSABLE, posted
from sessions_app.people import browsers, passwords, tokens
from sessions_app.people.account.forms import NewPasswordForm, OwnPasswordForm
from sessions_app.people.account.page import account_page, living, person
from sessions_app.people.account.token_forms import NewTokenForm
from sessions_app.text.unseen import visible

PAGE = "account:account"


@sensitive_post_parameters()
@posted(PAGE, of_the_same=False)
def password(request: HttpRequest) -> HttpResponse:
    """Change the password. This browser stays signed in; all others of the user are signed out."""
    kept = list(tokens.kept_tokens(person(request)).select_related("owner"))
    form = OwnPasswordForm(request, request.POST, token_count=living(kept))
    if not form.is_valid():
        return account_page(request, password=form)
    ended = passwords.change_own(
        request,
        password=form.cleaned_data["new_password1"],
        ends_tokens=form.cleaned_data.get("ends_tokens", False),
    )
    words = [_("Your password was changed. Your other browsers were signed out.")]
    if ended:
        words.append(_tokens_revoked(ended))
    elif count := living(kept):
        still = ngettext(
            "Your API token still works.", "Your %(count)d API tokens still work.", count
        )
        words.append(still % {"count": count})
    messages.success(request, " ".join(words), extra_tags="ok")
    return redirect(PAGE)


def _tokens_revoked(count: int) -> str:
    words = ngettext("Your API token was revoked.", "%(count)d API tokens were revoked.", count)
    return words % {"count": count}


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """The page for users who must choose a password before they can open anything else."""
    user = person(request)
    if not user.must_change_password:
        return redirect(PAGE)
    form = NewPasswordForm(user, request.POST or None)
    if form.is_valid():
        passwords.change_own(request, password=form.cleaned_data["new_password1"])
        return redirect(_wanted(request))
    context = {"form": form, "next": _wanted(request)}
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "account/new_password.html", context, status=status)


def _wanted(request: HttpRequest) -> str:
    """Where the user was going, if it is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if allowed else "/"


@posted(PAGE, of_the_same=False)
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign one other browser of the user out."""
    if browsers.sign_out(person(request), request.POST.get("browser", "")):
        messages.success(request, _("The browser was signed out."), extra_tags="ok")
    else:
        messages.warning(request, _("This browser was not signed in any more."), extra_tags="warn")
    return redirect(PAGE)


@posted(PAGE, of_the_same=False)
def sign_out_others(request: HttpRequest) -> HttpResponse:
    browsers.sign_out_others(person(request), request.session)
    messages.success(request, _("All your other browsers were signed out."), extra_tags="ok")
    return redirect(PAGE)


@never_cache
@posted(PAGE, of_the_same=False)
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token. The answer to this request alone shows its secret."""
    user = person(request)
    form = NewTokenForm(request.POST, user=user)
    if form.is_valid():
        try:
            _token, secret = tokens.issue_own_token(
                owner=user,
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                days=form.days,
            )
        except tokens.IssueRefused as refused:
            form.refuse(refused)
        else:
            return account_page(request, secret=secret)
    return account_page(request, token_form=form)


@posted(PAGE, of_the_same=False)
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the user's own tokens. Repeating it changes nothing."""
    token = tokens.revoke_own_token(person(request), pk)
    if token is not None:
        words = _("The token “%(name)s” was revoked.") % {"name": visible(token.name)}
        messages.success(request, words, extra_tags="ok")
    else:
        messages.warning(request, _("You have no such token any more."), extra_tags="warn")
    return redirect(PAGE)
