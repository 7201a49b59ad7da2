"""People and API keys: who may do what, and the keys that act for them."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.views.decorators.http import require_POST

from governance import api_keys, members
from governance.access import ConsoleRequest
from governance.findings import Invalid, Missing
from governance.forms import ROLE_WORDS, ApiKeyForm, MemberForm, PasswordForm, RoleForm
from governance.models import ApiKey, User
from governance.pages import console_page
from governance.roles import Role

SETTINGS = {"title": "Settings", "href": "/console/settings/"}


@console_page()
def people(request: ConsoleRequest) -> HttpResponse:
    """Everybody in the workspace; admins add and change."""
    return _people(request, MemberForm())


def _people(request: ConsoleRequest, form: MemberForm, *, status: int = 200, invitation: str = "", invited: str = "") -> HttpResponse:
    context = {
        "title": "People",
        "trail": [SETTINGS],
        "members": members.members(request.actor.workspace_id),
        "form": form,
        "roles": [(role.value, words) for role, words in ROLE_WORDS.items()],
        "is_admin": request.actor.role.covers(Role.ADMIN),
        "invitation": invitation,
        "invited": invited,
    }
    return render(request, "governance/people.html", context, status=status)


@require_POST
@console_page(Role.ADMIN)
def add_person(request: ConsoleRequest) -> HttpResponse:
    """Let somebody in: they choose their own password by a link that is shown once."""
    form = MemberForm(request.POST)
    if form.is_valid() and User.objects.filter(username=form.cleaned_data["username"]).exists():
        form.add_error("username", "Somebody has this user name already.")
    if not form.is_valid():
        return _people(request, form, status=422)
    given = form.cleaned_data
    with transaction.atomic():
        user = User.objects.create_user(given["username"], given["email"], None, first_name=given["first_name"])
        members.set_member(request.actor, user, role=Role(given["role"]), legal=given["legal"], now=timezone.now())
    link = request.build_absolute_uri(
        reverse("governance:welcome", args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)])
    )
    return _people(request, MemberForm(), invitation=link, invited=user.username)


@require_POST
@console_page(Role.ADMIN)
def set_role(request: ConsoleRequest, user_id: int) -> HttpResponse:
    """Change what somebody may do; their keys follow at once."""
    form = RoleForm(request.POST)
    user = User.objects.filter(pk=user_id, membership__workspace_id=request.actor.workspace_id).first()
    if user is None or not form.is_valid():
        raise Missing("no such member, or no such role")
    role = Role(form.cleaned_data["role"])
    members.set_member(request.actor, user, role=role, legal=form.cleaned_data["legal"], now=timezone.now())
    messages.success(request, f"{user.username} is {role} now.")
    return redirect("governance:people")


@require_POST
@console_page(Role.ADMIN)
def remove_person(request: ConsoleRequest, user_id: int) -> HttpResponse:
    """Take somebody out of the workspace; their keys stop working."""
    members.remove_member(request.actor, user_id, now=timezone.now())
    messages.success(request, "Removed. Their sessions and keys have no access any more; what they wrote stays.")
    return redirect("governance:people")


def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Where somebody who was let in chooses a password. The link works once, for three days."""
    user = _invited(uid)
    if user is None or not default_token_generator.check_token(user, token):
        context = {
            "title": "This link no longer works",
            "words": "It was used already, or is older than three days. Ask an admin for a new one.",
        }
        return render(request, "console/plain_note.html", context, status=410)
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            validate_password(form.cleaned_data["password"], user)
        except ValidationError as error:
            form.add_error("password", error)
        else:
            user.set_password(form.cleaned_data["password"])
            user.save(update_fields=["password"])
            messages.success(request, f"Welcome, {user.username}. Sign in with your new password.")
            return redirect("console:sign-in")
    page_context: dict[str, object] = {"title": f"Welcome, {user.get_full_name() or user.username}", "form": form}
    return render(request, "governance/welcome.html", page_context, status=422 if form.errors else 200)


def _invited(uid: str) -> User | None:
    try:
        pk = int(force_str(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError):
        return None
    return User.objects.filter(pk=pk, is_active=True).first() if 0 < pk < 2**63 else None


@console_page(Role.ADMIN)
def keys(request: ConsoleRequest) -> HttpResponse:
    """Every API key with its scopes and last use."""
    return _keys(request, ApiKeyForm())


def _keys(request: ConsoleRequest, form: ApiKeyForm, *, status: int = 200, text: str = "", made: ApiKey | None = None) -> HttpResponse:
    now = timezone.now()
    rows = ApiKey.objects.filter(workspace_id=request.actor.workspace_id).select_related("created_by").order_by("-created_at")[:200]
    context = {
        "title": "API keys",
        "trail": [SETTINGS],
        "form": form,
        "keys": [
            (row, "revoked" if row.revoked_at else "expired" if row.expires_at and row.expires_at <= now else "active") for row in rows
        ],
        "text": text,
        "made": made,
    }
    return render(request, "governance/api_keys.html", context, status=status)


@require_POST
@console_page(Role.ADMIN)
def create_key(request: ConsoleRequest) -> HttpResponse:
    """Make a key and show its text, this once."""
    form, now = ApiKeyForm(request.POST), timezone.now()
    if not form.is_valid():
        return _keys(request, form, status=422)
    given = form.cleaned_data
    expires = now + timedelta(days=int(given["days"])) if given["days"] else None
    try:
        key, text = api_keys.create_api_key(request.actor, given["name"], Role(given["role"]), given["scopes"], expires, now)
    except Invalid as error:
        for fault in error.findings:
            form.add_error(
                fault.path.strip("/") if fault.path.strip("/") in form.fields else None, f"Found {fault.found}; expected {fault.expected}."
            )
        return _keys(request, form, status=422)
    return _keys(request, ApiKeyForm(), text=text, made=key)


@require_POST
@console_page(Role.ADMIN)
def revoke_key(request: ConsoleRequest, key_id: int) -> HttpResponse:
    """Stop a key at once."""
    key = api_keys.revoke_api_key(request.actor, key_id, now=timezone.now())
    messages.success(request, f"The key “{key.name}” is revoked. Requests with it are refused from now on.")
    return redirect("governance:keys")
