"""What the catalogue's page tells, and attributes that came in without being in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client

from audience import door as audience
from audience.door import ProfileRow
from audience.ingest import importing
from audience.models import ProposedAttribute
from governance import door as governance
from governance.door import User
from tests import factories
from tests.audience.imports import import_profiles

pytestmark = pytest.mark.django_db


def send(now: datetime, *attributes: dict[str, Any], source: str = "shop") -> audience.UpsertOutcome:
    rows = [ProfileRow(external_id=f"p{place}", attributes=each) for place, each in enumerate(attributes)]
    return audience.upsert(factories.workspace().pk, rows, source=source, now=now)


def proposed() -> list[tuple[str, str, int]]:
    return list(ProposedAttribute.objects.order_by("name").values_list("name", "type", "times"))


def author(client: Client, now: datetime) -> Client:
    client.force_login(User.objects.get(pk=factories.person("ada", now=now).user_id))
    return client


def test_an_unknown_attribute_is_refused_and_proposed_with_what_it_looks_like(now: datetime) -> None:
    outcome = send(now, {"shoe_size": 42}, {"shoe_size": 38.5, "born": "1990-05-01"}, {"vip": True, "nothing": None}, {})
    assert len(outcome.rejected) == 3 and outcome.created == 1
    assert proposed() == [("born", "date", 1), ("shoe_size", "number", 2), ("vip", "boolean", 1)]
    send(now, {"shoe_size": "42 EU"}, {"seen": "2026-01-01T00:00:00Z"}, {"home": {"lat": 1, "lon": 2}})
    assert proposed()[2:] == [("seen", "datetime", 1), ("shoe_size", "text", 3), ("vip", "boolean", 1)]


def test_rows_of_an_import_that_is_broken_off_and_goes_on_count_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it ends: also where the rows were about to be counted."""
    (tmp_path / "people.ndjson").write_text("".join(f'{{"external_id": "p{n}", "attributes": {{"shoe_size": {n}}}}}\n' for n in range(5)))
    factories.workspace()
    with monkeypatch.context() as breaks, pytest.raises(KeyboardInterrupt):
        breaks.setattr(importing, "note_unknown", Mock(side_effect=KeyboardInterrupt))
        import_profiles(tmp_path / "people.ndjson")
    import_profiles(tmp_path / "people.ndjson")
    assert proposed() == [("shoe_size", "number", 5)]
    import_profiles(tmp_path / "people.ndjson")
    assert proposed() == [("shoe_size", "number", 10)], "what is sent anew counts anew"


def test_names_that_no_attribute_can_have_are_not_proposed_and_nobody_fills_the_table(now: datetime) -> None:
    send(now, {"Not A Name": 1, "": 2, "x" * 81: 3})
    assert proposed() == []
    send(now, *({f"a{number}": number} for number in range(400)))
    assert ProposedAttribute.objects.count() == 300
    send(now, {"one_more": 1}, {"a0": 5})
    assert ProposedAttribute.objects.count() == 300 and ProposedAttribute.objects.get(name="a0").times == 2


def test_an_author_drafts_or_dismisses_what_is_proposed(now: datetime, client: Client) -> None:
    send(now, {"shoe_size": 42, "junk": "x"})
    page = author(client, now).get("/console/attributes/").content.decode()
    assert "shoe_size" in page and "a number" in page and "shop" in page
    answer = client.post("/console/attributes/shoe_size/decide/", {"do": "add"})
    assert answer.status_code == 302 and answer["Location"] == "/console/attributes/shoe_size/"
    drafted = governance.document(factories.workspace().pk, "attribute", "shoe_size").latest.model
    assert (drafted.type, drafted.source, drafted.title) == ("number", "shop", "Shoe size")
    client.post("/console/attributes/junk/decide/", {"do": "dismiss"})
    assert "Came in" not in client.get("/console/attributes/").content.decode()
    assert client.post("/console/attributes/junk/decide/", {"do": "add"}).status_code == 404


def test_the_page_tells_what_each_holds_and_who_asks_for_it(now: datetime, client: Client) -> None:
    counted = {"event": "paid", "how": "count", "days": 30}
    factories.put("attribute", "buys", factories.attribute(title="Purchases", type="number", computed=counted, owner="CRM"), now=now)
    old = factories.attribute(title="Old tier", deprecated="Ask for the new tier.")
    factories.put("attribute", "tier", old, now=now)
    factories.put("segment", "buyers", factories.segment(rule={"attribute": "buys", "op": "gt", "value": 3}), now=now)
    page = author(client, now).get("/console/attributes/").content.decode()
    for words in ("counted from “paid”", "of the last 30 days", "CRM", "segment buyers", "Ask for the new tier."):
        assert words in page, words


def test_what_people_have_is_shown_to_who_may_see_it(now: datetime, client: Client) -> None:
    fields = [{"name": "city", "type": "text"}, {"name": "since", "type": "date"}]
    factories.put("attribute", "address", factories.attribute(title="Address", type="object", fields=fields), now=now)
    factories.put("attribute", "health", factories.attribute(title="Health", sensitivity="sensitive"), now=now)
    factories.profile(now=now, attributes={"address": {"city": "Rome"}, "health": "a secret"})
    factories.profile(now=now)
    page = author(client, now).get("/console/attributes/address/values/").content.decode()
    assert "Rome" in page and "not known of 1 person" in page and "part=address.since" in page
    refused = client.get("/console/attributes/health/values/")
    assert refused.status_code == 403 and b"a secret" not in refused.content
    assert client.get("/console/attributes/nothing/values/").status_code == 404
    assert '/console/attributes/address/values/">What people have</a>' in client.get("/console/attributes/address/").content.decode()
