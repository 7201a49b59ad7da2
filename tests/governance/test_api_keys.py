from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from governance import door as governance
from governance.api_keys import authenticate
from governance.door import ApiKey, Invalid, Refused, Role
from tests.governance.office import Office

SCOPES = ["documents:read", "documents:write"]


def make(office: Office, role: Role = Role.AUTHOR, scopes: list[str] = SCOPES, days: int | None = None) -> tuple[ApiKey, str]:
    expires = office.clock + timedelta(days=days) if days is not None else None
    return governance.create_api_key(office.cleo, "Nightly import", role, scopes, expires, office.now())


def test_a_key_acts_for_its_maker_with_its_own_role_and_scopes(office: Office) -> None:
    key, text = make(office)
    actor = authenticate(text, now=office.now())
    assert actor is not None
    assert (actor.user_id, actor.role, actor.via, actor.api_key_id) == (office.cleo.user_id, Role.AUTHOR, "api", key.pk)
    assert actor.scopes == frozenset(SCOPES)


def test_only_a_digest_of_the_key_is_kept(office: Office) -> None:
    key, text = make(office)
    secret = text.rpartition(key.prefix)[2]
    assert text.startswith(f"omni_{key.prefix}_") and len(secret) > 40
    assert all(secret not in str(value) for value in ApiKey.objects.values().get().values())


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.swapcase(), lambda t: "", lambda t: "omni__", lambda t: "é" * 60]
)
def test_a_wrong_key_is_nobody(office: Office, spoil) -> None:  # type: ignore[no-untyped-def]
    _key, text = make(office)
    assert authenticate(spoil(text), now=office.now()) is None


def test_an_expired_or_revoked_key_stops_working(office: Office) -> None:
    key, text = make(office, days=1)
    assert authenticate(text, now=office.now()) is not None
    assert authenticate(text, now=office.clock + timedelta(days=1)) is None
    governance.revoke_api_key(office.cleo, key.pk, now=office.now())
    governance.revoke_api_key(office.cleo, key.pk, now=office.now())
    assert authenticate(text, now=office.now()) is None


def test_a_key_sinks_with_its_makers_role_and_ends_with_their_membership(office: Office) -> None:
    office.hire("dora", Role.ADMIN)
    _key, text = governance.create_api_key(office.dora, "Sync", Role.APPROVER, SCOPES, None, office.now())
    office.hire("dora", Role.VIEWER)
    known = authenticate(text, now=office.now())
    assert known is not None and known.role is Role.VIEWER
    governance.remove_member(office.cleo, office.dora.user_id or 0, now=office.now())
    assert authenticate(text, now=office.now()) is None


def test_a_person_who_can_no_longer_sign_in_has_no_working_keys(office: Office) -> None:
    _key, text = make(office)
    governance.User.objects.filter(pk=office.cleo.user_id or 0).update(is_active=False)
    assert authenticate(text, now=office.now()) is None


def test_the_last_use_is_written_at_most_once_a_minute(office: Office, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    key, text = make(office)
    first = office.now()
    authenticate(text, now=first)
    with django_assert_num_queries(1):
        authenticate(text, now=first + timedelta(seconds=59))
    key.refresh_from_db()
    assert key.last_used_at == first
    authenticate(text, now=first + timedelta(seconds=60))
    key.refresh_from_db()
    assert key.last_used_at == first + timedelta(seconds=60)


def test_only_admins_make_keys_and_none_above_their_own_role(office: Office) -> None:
    with pytest.raises(Refused):
        governance.create_api_key(office.ben, "Mine", Role.AUTHOR, SCOPES, None, office.now())
    key_of_cleo = replace(office.cleo, role=Role.ADMIN, via="api", api_key_id=1, scopes=frozenset({"keys:manage", "documents:read"}))
    with pytest.raises(Refused, match="scopes that it hasn't itself"):
        governance.create_api_key(key_of_cleo, "More", Role.AUTHOR, SCOPES, None, office.now())


def test_every_fault_of_a_new_key_is_named(office: Office) -> None:
    with pytest.raises(Invalid) as caught:
        governance.create_api_key(office.cleo, " ", Role.AUTHOR, ["fly"], timezone.now() - timedelta(days=9_999), office.now())
    assert {finding.path for finding in caught.value.findings} == {"/name", "/scopes", "/expires_at"}


def test_a_key_without_the_scope_is_refused_by_the_doors_themselves(office: Office) -> None:
    _key, text = make(office, role=Role.APPROVER, scopes=["documents:read"])
    known = authenticate(text, now=office.now())
    assert known is not None
    with pytest.raises(Refused, match="documents:write"):
        office.save(known, "page", "welcome", text="Hello")


def test_keys_of_another_workspace_are_not_found(office: Office) -> None:
    key, _text = make(office)
    other = governance.create_workspace("other", "Other").pk
    with pytest.raises(governance.Missing):
        governance.revoke_api_key(replace(office.cleo, workspace_id=other), key.pk, now=office.now())
