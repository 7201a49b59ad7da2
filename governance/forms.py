"""The console's small forms: what is asked, never what is done with it."""

from __future__ import annotations

from typing import Any

from django import forms

from governance.roles import SCOPES, Role

ROLE_WORDS = {
    Role.VIEWER: "Viewer: looks at everything",
    Role.AUTHOR: "Author: writes drafts and submits them",
    Role.APPROVER: "Approver: vouches for what others wrote, releases, launches",
    Role.ADMIN: "Admin: people, keys and policies, too",
}
LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Never expires")]


class PlainForm(forms.Form):
    """A form without colons, whose errors our own components draw."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class ApiKeyForm(PlainForm):
    """A new key for a program."""

    name = forms.CharField(max_length=120, label="Name", help_text="What the key is for, such as “checkout service”.")
    role = forms.ChoiceField(label="Role", choices=[(role.value, words) for role, words in ROLE_WORDS.items()], initial=Role.AUTHOR.value)
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        help_text="What it may do, as far as its role and yours allow.",
        choices=[(scope, f"{scope} – {words}") for scope, words in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one scope."},
    )
    days = forms.ChoiceField(label="Lifetime", choices=LIFETIMES, initial="90", required=False)


class MemberForm(PlainForm):
    """Somebody who joins the workspace."""

    username = forms.RegexField(
        r"^[a-z0-9][a-z0-9._-]{1,59}$",
        label="User name",
        help_text="Lower-case letters, digits, dots and dashes. They sign in with it.",
        error_messages={"invalid": "Use 2 to 60 lower-case letters, digits, dots or dashes."},
    )
    first_name = forms.CharField(max_length=150, label="Name", required=False)
    email = forms.EmailField(label="E-mail address", required=False, help_text="Where “Send a test to me” goes.")
    role = forms.ChoiceField(label="Role", choices=[(role.value, words) for role, words in ROLE_WORDS.items()], initial=Role.AUTHOR.value)
    legal = forms.BooleanField(label="May approve a change of message class (legal)", required=False)


class RoleForm(PlainForm):
    """What somebody may do."""

    role = forms.ChoiceField(label="Role", choices=[(role.value, words) for role, words in ROLE_WORDS.items()])
    legal = forms.BooleanField(label="May approve a change of message class (legal)", required=False)


class PasswordForm(PlainForm):
    """A password that somebody chooses for themselves."""

    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters; not a common one.",
    )
    again = forms.CharField(label="The same again", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean(self) -> dict[str, Any]:
        """Both must agree."""
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", "The two passwords differ.")
        return given
