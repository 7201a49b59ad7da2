"""People, what they agreed to and what they did, by HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.response import Response
from rest_framework.views import APIView

from audience import api_bodies as bodies
from audience.api_rows import each_by_itself, in_order, told
from audience.consent import as_consent, consents, proof_rows, set_consent
from audience.device_forms import DeviceAddress, device_address
from audience.devices import devices_of, register_device, remove_device
from audience.erasure import erase
from audience.events import event_rows
from audience.external_ids import external_id_of
from audience.ingest.upsert import upsert
from audience.masking import search_as, sees_addresses, shown_row
from audience.models import Event, Profile, SubscriptionEntry
from audience.profiles import NOBODY, ids_of, people, search_rows
from audience.telling import everything_of
from governance.door import PAGING, Actor, ApiRequest, Finding, HasScope, Invalid, Missing, Role, allow, page, parse

SEARCH = OpenApiParameter("search", str, description="the start of an external id, an e-mail address or a phone number")
READ = HasScope("profiles:read")


class Profiles(APIView):
    permission_classes = [HasScope("profiles:read", POST="profiles:write")]

    @extend_schema(operation_id="profiles_list", parameters=[SEARCH, *PAGING], responses=bodies.ProfilesPage)
    def get(self, request: ApiRequest) -> Response:
        """People, in the order in which they came; with `search`, those whose id or address starts like that. A viewer's key sees
        no addresses and nothing personal, and finds by a whole id or address only."""
        rows, text = search_rows(request.actor.workspace_id, ""), request.GET.get("search", "").strip()
        if text and sees_addresses(request.actor):
            rows = search_rows(request.actor.workspace_id, text)
        elif text:
            rows = rows.filter(pk__in=[person.id for person in search_as(request.actor, text)])
        return Response(page(rows, request, partial(_profile, request.actor), ["id"]))

    @extend_schema(operation_id="profiles_upsert", request=bodies.ProfilesRequest, responses=bodies.ProfilesAnswer)
    def post(self, request: ApiRequest) -> Response:
        """Create or change up to 1,000 people. Whoever is wrong is named and harms nobody else; if nobody is right, the answer is 422."""
        wanted = parse(bodies.ProfilesEnvelope, request.data)
        rows, rejected = each_by_itself(
            wanted.profiles, "profiles", lambda one, at, place: parse(bodies.ProfileBody, one, at=at).row(place)
        )
        if not wanted.source.strip() and any(row.consents for row in rows):
            raise Invalid([Finding("error", "/source", "nothing", "what recorded the consents, such as sign-up form")])
        outcome = upsert(request.actor.workspace_id, rows, source=wanted.source, now=timezone.now())
        rejected = in_order("profiles", rejected, outcome.rejected)
        if not outcome.taken:
            raise Invalid([finding for row in rejected for finding in row.findings])
        counts = {name: getattr(outcome, name) for name in ("created", "updated", "unchanged", "consents")}
        return Response({**counts, "rejected": told(rejected)})


class OneProfile(APIView):
    permission_classes = [HasScope("profiles:read", DELETE="profiles:write")]

    @extend_schema(operation_id="profiles_read", responses=bodies.ProfileAnswer)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """One person."""
        return Response(_profile(request.actor, _found(request, external_id)))

    @extend_schema(operation_id="profiles_erase", responses={204: None})
    def delete(self, request: ApiRequest, external_id: str) -> Response:
        """Forget a person for good: addresses, attributes, events and consents. Suppressions stay, as keyed hashes."""
        erase(request.actor, _found(request, external_id).external_id, now=timezone.now())
        return Response(status=204)


class Everything(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="profiles_everything", responses=bodies.EverythingAnswer)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """Everything that is kept of a person, for whoever answers their request to know: by section, here and in delivery. It takes an
        admin's key, and is audited."""
        allow(request.actor, Role.ADMIN, "profiles:read")
        return Response(everything_of(request.actor, external_id, now=timezone.now()))


class Consents(APIView):
    permission_classes = [HasScope("profiles:read", PUT="profiles:write")]

    @extend_schema(operation_id="consents_read", responses=bodies.ConsentsAnswer)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """What a person agreed to and refused, as it stands."""
        return _consents(_found(request, external_id))

    @extend_schema(operation_id="consents_set", request=bodies.ConsentRequest, responses=bodies.ConsentsAnswer)
    def put(self, request: ApiRequest, external_id: str) -> Response:
        """Record what a person said about one topic, or with "*" about a whole channel. The same again changes nothing; only whoever has
        yet to confirm it is asked once more, at most every ten minutes."""
        wanted, person = parse(bodies.ConsentRequest, request.data), _found(request, external_id)
        said = {
            name: getattr(wanted, name) for name in ("channel", "topic", "state", "source", "wording", "basis", "expires_at", "confirmed")
        }
        set_consent(person.workspace_id, [person.pk], **said, now=timezone.now())
        return _consents(person)


class ConsentHistory(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="consents_history", parameters=PAGING, responses=bodies.ConsentsPage)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """The proof: everything a person said, when, through what and to which wording; newest first."""
        person = _found(request, external_id)
        return Response(page(proof_rows(person.workspace_id, person.pk), request, _said, ["-at", "-id"]))


class Devices(APIView):
    permission_classes = [HasScope("profiles:read", PUT="profiles:write", DELETE="profiles:write")]

    @extend_schema(operation_id="devices_read", responses=bodies.DevicesAnswer)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """A person's devices, the one seen last first. Tokens are shown by their last characters only."""
        return _devices(_found(request, external_id))

    @extend_schema(operation_id="devices_register", request=bodies.DeviceRequest, responses=bodies.DevicesAnswer)
    def put(self, request: ApiRequest, external_id: str) -> Response:
        """This person has this device, seen now: call it whenever the app starts. It leaves whoever had it before; beyond 20 devices the
        one that was seen longest ago goes."""
        person = _found(request, external_id)
        register_device(person.workspace_id, person.pk, _device(request), now=timezone.now())
        return _devices(person)

    @extend_schema(operation_id="devices_remove", responses={204: None})
    def delete(self, request: ApiRequest, external_id: str) -> Response:
        """This person has this device no longer: call it when they sign out. The body names the device as registering does; what they
        don't have is no mistake."""
        person = _found(request, external_id)
        remove_device(person.workspace_id, person.pk, _device(request))
        return Response(status=204)


class ProfileEvents(APIView):
    permission_classes = [READ]

    @extend_schema(operation_id="profiles_events", parameters=PAGING, responses=bodies.EventsPage)
    def get(self, request: ApiRequest, external_id: str) -> Response:
        """What a person did, newest first. A viewer's key sees no properties."""
        person = _found(request, external_id)
        return Response(page(event_rows(person.workspace_id, person.pk), request, partial(_event, request.actor), ["-at", "-id"]))


def _found(request: ApiRequest, external_id: str) -> Profile:
    kept = external_id_of(external_id)
    number = ids_of(request.actor.workspace_id, [kept]).get(kept) if "\0" not in kept else None
    row = people(request.actor.workspace_id).filter(pk=number or -1).first()
    if row is None:
        raise Missing(NOBODY)
    return row


def _device(request: ApiRequest) -> DeviceAddress:
    wanted = parse(bodies.DeviceRequest, request.data)
    return device_address(wanted.platform, wanted.token, wanted.subscription)


def _devices(person: Profile) -> Response:
    return Response({"items": [_plain(bodies.DeviceAnswer.of(one)) for one in devices_of(person.workspace_id, person.pk)]})


def _consents(person: Profile) -> Response:
    said = consents(person.workspace_id, person.pk)
    return Response({"items": [_plain(bodies.ConsentAnswer.of(one)) for one in said]})


def _profile(actor: Actor, row: Profile) -> dict[str, Any]:
    return _plain(bodies.ProfileAnswer.of(shown_row(actor, row)))


def _said(row: SubscriptionEntry) -> dict[str, Any]:
    return _plain(bodies.ConsentEntryAnswer.of(as_consent(row)))


def _event(actor: Actor, row: Event) -> dict[str, Any]:
    if not sees_addresses(actor):
        row.properties = {}
    return _plain(bodies.EventAnswer.of(row))


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")
