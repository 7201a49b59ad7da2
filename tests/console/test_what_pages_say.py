"""What a page must say so that an author, an approver or an operator knows what to do next."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import door as delivery
from delivery.models import Message
from delivery.states import MessageState, Reason
from governance import door as governance
from governance.door import AuditEntry, User
from governance.models import SavedView
from tests import factories as make
from workflow import pipeline, worker
from workflow.outlook import spread

pytestmark = pytest.mark.django_db(transaction=True)


def _page(who: str, address: str, /, *, now: datetime, status: int = 200, **posted: str) -> str:
    make.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    answer = client.post(address, posted) if posted else client.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_a_released_campaign_tells_of_newer_drafts_below_and_can_be_submitted_with_them(now: datetime) -> None:
    key = make.spring_sale(now=now)
    address = f"/console/campaigns/{key}/"
    assert "Submit for approval" not in _page("ada", address, now=now)
    make.put("segment", "everyone", make.segment(title="Nearly everyone", rule={"profile": "country", "op": "is", "value": "GB"}), now=now)

    said = _page("ada", address, now=now)
    assert "What it uses has newer drafts" in said and "Nearly everyone</a> (draft 2)" in said
    assert "Submit for approval" in said
    make.release("campaign", key, now=now)
    assert "newer drafts" not in _page("ada", address, now=now)


@pytest.mark.parametrize("tab", ["", "preview/", "checks/", "history/", "approvals/"])
def test_every_tab_names_the_newer_drafts_below_alike(now: datetime, tab: str) -> None:
    key = make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(title="Nearly everyone", rule={"profile": "country", "op": "is", "value": "GB"}), now=now)
    assert "Nearly everyone</a> (draft 2). They count once" in _page("ada", f"/console/campaigns/{key}/{tab}", now=now)


def test_whoever_edits_what_waits_for_approval_is_told_what_saving_does_to_the_request(now: datetime) -> None:
    make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(title="Nearly everyone"), now=now)
    governance.submit(make.person("ada", now=now), "segment", "everyone", number=2, now=now)
    warned = "Saving a change ends this request"
    said = _page("ben", "/console/segments/everyone/", now=now)
    assert warned in said and _primary(said) == ["Save draft"]
    assert warned not in _page("vera", "/console/segments/everyone/", now=now), "who can only read saves nothing"
    said = _page("ben", "/console/segments/everyone/history/", now=now)
    assert warned not in said and _primary(said) == ["Review"]
    make.put("segment", "everyone", make.segment(title="Hardly anyone"), now=now)
    assert warned not in _page("ben", "/console/segments/everyone/", now=now), "it is newer than what was submitted already"


def _primary(said: str) -> list[str]:
    """What the buttons say that stand out, dialogs aside: only one may."""
    page = re.sub(r"<(dialog|svg).*?</\1>", "", said)
    return re.findall(r'<(?:a|button) [^>]*data-look="primary"[^>]*>([^<]*)<', page)


def test_a_draft_names_the_fields_in_which_it_differs(now: datetime) -> None:
    key = make.spring_sale(now=now)
    make.put("campaign", key, make.campaign(title="Late sale", holdout=0.1, soak_minutes=5, batch_size=300), now=now)
    said = _page("ada", f"/console/campaigns/{key}/", now=now).partition("differs from released 1 in ")[2].partition(". Submit")[0]
    named, _, rest = said.partition(" and ")
    assert set(named.split(", ")) < {"title", "batch size", "holdout", "soak minutes"} and rest == "1 more"


def test_the_review_says_a_changed_segment_in_words_and_what_it_would_do(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(rule={"profile": "country", "op": "is", "value": "GB"}), now=now)
    address = _page_of_submission(key, now)
    said = _page("ben", address, now=now)
    in_words = said.partition("In words")[2].partition("</li>")[0]
    assert 'data-title="Released"><span class="unread">Released: </span><del>Everyone</del>' in in_words
    assert 'data-title="Submitted"' in in_words and "<span>Released</span><span>Submitted</span>" in said
    assert "<ins>People whose country is “GB”</ins>" in in_words
    assert f"/console/campaigns/{key}/estimate/" in said
    assert "3 when the released one was submitted" in _page("ben", f"{address}reach/", now=now)


def _page_of_submission(key: str, now: datetime) -> str:
    from governance import door as governance

    number = governance.document(make.workspace().pk, "campaign", key).latest.number
    submission = governance.submit(make.person("ada", now=now), "campaign", key, number=number, now=now)
    return f"/console/approvals/{submission.pk}/"


def test_an_estimate_leaves_out_who_has_not_agreed_and_says_so(now: datetime) -> None:
    make.profiles(7, now=now)
    make.profiles(4, now=now, consents=())
    key = make.spring_sale(now=now)
    said = _page("ada", f"/console/campaigns/{key}/estimate/", now=now)
    assert '<span class="figure">7</span>' in said and "of 11 in the segment" in said
    assert 'no consent for this topic</span><span class="number">4</span>' in said


def test_samples_are_spread_evenly_over_the_whole_audience() -> None:
    from pyroaring import BitMap64

    assert spread(BitMap64(range(10)), 4) == [0, 2, 5, 7]
    assert spread(BitMap64(range(3)), 4) == [0, 1, 2]


def test_a_campaign_for_an_event_promises_nobody_a_message_now(now: datetime) -> None:
    make.profiles(5, now=now)
    key = make.spring_sale(now=now, trigger={"type": "event", "event": "signed_up"})
    said = _page("ada", f"/console/campaigns/{key}/estimate/", now=now)
    assert "Each gets a message when “signed_up” happens" in said and "First wave" not in said


def test_every_reason_of_a_run_leads_to_its_people(now: datetime) -> None:
    make.profiles(40, now=now)
    [refuser, *_] = make.profiles(8, now=now, consents=())
    key = make.spring_sale(now=now, holdout=0.5)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    worker.drain(now=lambda: now)
    facts = delivery.facts(run.workspace_id, run.dispatch_id)
    reasons = {**facts.left_out, **facts.skipped}
    said = _page("ben", f"/console/runs/{run.pk}/", now=now)
    assert facts.left_out["holdout"] > 0
    for reason, many in reasons.items():
        link = f"/console/messages/?dispatch={run.dispatch_id}&amp;reason={reason}"
        assert link in said
        found = _page("vera", link.replace("&amp;", "&"), now=now)
        assert found.count("<tr>") - 1 == many
    opted_out, before = delivery.messages(run.workspace_id, dispatch_id=run.dispatch_id).items[0], facts.left_out["no_consent"]
    Message.objects.filter(dispatch_id=run.dispatch_id, n=opted_out.n).update(state=MessageState.SKIPPED, reason=Reason.NO_CONSENT)
    listed = _page("vera", f"/console/messages/?dispatch={run.dispatch_id}&reason=no_consent", now=now)
    assert f"{before} people were left out when this run was launched" in listed
    assert "1 more</a> was skipped for it at the last look" in listed and f"no consent for this topic: {before + 1}</option>" in listed
    assert "held out on purpose" in _page("vera", f"/console/messages/?dispatch={run.dispatch_id}&reason=holdout", now=now)
    _page("vera", f"/console/messages/?dispatch={run.dispatch_id}&reason=bored", now=now, status=422)
    assert audience.load(run.workspace_id, [refuser])


def test_home_says_that_all_is_well_or_what_is_not(now: datetime) -> None:
    make.profiles(3, now=now)
    key = make.spring_sale(now=now)
    assert "Everything is all right." in _page("vera", "/console/", now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    delivery.pause(make.person("ben", now=now), run.dispatch_id, now=now, reason="a typo")
    said = _page("vera", "/console/", now=now)
    assert "Everything is all right." not in said and "Spring sale is paused" in said


def test_one_kill_switch_is_told_with_its_reason_and_several_in_one_line_above_every_page(now: datetime) -> None:
    ben = make.person("ben", now=now)
    key = make.spring_sale(now=now)
    delivery.kill(ben, "campaign", key, True, reason="Wrong prices.", now=now)
    assert "The kill switch for Spring sale is on: Wrong prices. <a" in _page("vera", "/console/runs/", now=now)
    delivery.kill(ben, "vendor", "twilio", True, reason="Delays", now=now)
    said = _page("vera", "/console/runs/", now=now)
    assert "2 kill switches are on: Spring sale, Twilio Messages. <a" in said and "Wrong prices" not in said


def test_a_new_document_without_a_title_says_what_it_needs(now: datetime) -> None:
    said = _page("ada", "/console/new/campaigns/", now=now, status=422, **{"/title": "", "/segment": "", "/template": "", "do": "save"})
    for words in ("Title: needs a value", "Segment: choose a segment", "Template: choose a template"):
        assert words in said
    said = _page("ada", "/console/new/segments/", now=now, status=422, **{"/title": "春", "do": "save"})
    assert "none can be made from this title" in said


def test_a_launch_is_in_the_audit_trail_of_its_campaign(now: datetime) -> None:
    make.profiles(2, now=now)
    key = make.spring_sale(now=now)
    pipeline.launch(make.person("ben", now=now), key, now=now)
    assert AuditEntry.objects.filter(subject=f"campaign:{key}", action="campaign.launched").exists()


def test_two_segments_say_whom_they_share(now: datetime) -> None:
    make.profiles(4, now=now)
    make.profiles(2, now=now, country="FR")
    make.put("segment", "everyone", make.segment(), now=now)
    make.put("segment", "french", make.segment(title="French", rule={"profile": "country", "op": "is", "value": "FR"}), now=now)
    said = _page("vera", "/console/segments/everyone/preview/?with=french", now=now)
    assert "2 people, 33.3 % of this segment" in said and "4 people" in said
    assert _page("vera", "/console/segments/french/counted/", now=now).startswith("2<span")


def test_a_page_for_another_role_keeps_its_frame(now: datetime) -> None:
    said = _page("vera", "/console/api-keys/", now=now, status=403)
    assert "needs the role admin; yours is viewer" in said and 'href="/console/campaigns/"' in said


def test_a_message_tells_which_condition_brought_its_person_into_the_audience(now: datetime) -> None:
    here, there = make.profile(now=now), make.profile(now=now, country="PT")
    key = make.spring_sale(now=now)
    rule = {"all": [{"profile": "country", "op": "is", "value": "GB"}, {"consent": {"channel": "email", "topic": "offers"}}]}
    make.in_force("segment", "everyone", make.segment(title="Britons", rule=rule), now=now)
    make.release("campaign", key, now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    worker.drain(now=lambda: now)
    make.put("segment", "everyone", make.segment(title="Something else", rule={"profile": "country", "op": "is", "value": "DE"}), now=now)

    [sent] = delivery.messages(run.workspace_id, dispatch_id=run.dispatch_id).items
    part = f"/console/look/runs/{run.dispatch_id}/people/{here}/"
    assert f'hx-get="{part}"' in _page("vera", f"/console/messages/{sent.message_id}/", now=now)
    said = _page("vera", part, now=now)
    assert "In the segment" in said and ">Britons</a>, revision 2, because" in said, "as it was pinned, not as it is now"
    assert said.count("<li data-decided") == 3 and "country: GB" not in said and "value: GB" in said

    assert f"/people/{there}/" in _page("vera", f"/console/messages/?profile={there}&dispatch={run.dispatch_id}", now=now)
    said = _page("vera", f"/console/look/runs/{run.dispatch_id}/people/{there}/", now=now)
    assert "not in the segment" in said and said.count("<li data-decided") == 2 and "value: PT" in said
    _page("vera", f"/console/look/runs/{run.dispatch_id}/people/999999999/", now=now, status=404)


def test_an_admin_erases_a_person_only_by_typing_who_it_is(now: datetime) -> None:
    home, number = make.workspace().pk, make.profile(now=now, external_id="u-1", email="u-1@example.com")
    address = f"/console/profiles/{number}/"
    assert "Erase" not in _page("ben", address, now=now)
    assert "Type <code>u-1</code> to confirm" in _page("cleo", address, now=now)
    _page("cleo", f"{address}erase/", now=now, status=302, typed="u-2")
    assert audience.find(home, external_id="u-1") is not None
    _page("cleo", f"{address}erase/", now=now, status=302, typed=" u-1 ")
    assert audience.find(home, external_id="u-1") is None
    assert AuditEntry.objects.filter(action="profile.erased", subject=f"profile:{number}").count() == 1
    _page("cleo", f"{address}erase/", now=now, status=404, typed="u-1")


def test_a_new_campaign_is_reviewed_in_words_and_with_the_letter_that_it_sends(now: datetime) -> None:
    make.profiles(3, now=now)
    make.spring_sale(now=now)
    trigger = {"type": "event", "event": "booked", "where": {"trigger": {"property": "nights", "op": "gte", "value": 7}}}
    make.put("campaign", "thanks", make.campaign(title="Thanks", trigger=trigger, holdout=0.1), now=now)
    submission = governance.submit(make.person("ada", now=now), "campaign", "thanks", number=1, note="", now=now)
    said = _page("ben", f"/console/approvals/{submission.pk}/", now=now)
    assert "Sends “Offer” to the people of “Everyone”, when “booked” happens; only to people whose event has" in said
    assert "10% of them are left alone; all at once." in said
    assert "/console/templates/offer/frame/1/?scheme=light" in said, "the letter is read by whoever vouches for it"
    weekly = {"type": "schedule", "cron": "0 9 * * MON", "zone": "Europe/Paris"}
    make.put("campaign", "digest", make.campaign(title="Digest", trigger=weekly, reentry=True), now=now)
    submission = governance.submit(make.person("ada", now=now), "campaign", "digest", number=1, note="", now=now)
    assert "“Everyone”, at 09:00 on Monday, Europe/Paris;" in _page("ben", f"/console/approvals/{submission.pk}/", now=now)


def test_a_changed_segment_is_reviewed_with_both_counts_and_with_what_else_uses_it(now: datetime) -> None:
    make.profiles(2, now=now, country="GB")
    make.profiles(3, now=now, country="PT")
    make.spring_sale(now=now)
    make.in_force("segment", "everyone", make.segment(title="Britons", rule={"profile": "country", "op": "is", "value": "GB"}), now=now)
    make.put("segment", "everyone", make.segment(title="Britons"), now=now)
    submission = governance.submit(make.person("ada", now=now), "segment", "everyone", number=3, note="", now=now)
    address = f"/console/approvals/{submission.pk}/"
    said = _page("ben", address, now=now)
    assert 'It changes for what else uses it: <a href="/console/campaigns/spring-sale/">Spring sale</a>.' in said
    said = _page("ben", f"{address}reach/segments/everyone/", now=now)
    assert "2 people in force → <strong>5 people</strong> with this change" in said and "+150" in said
    _page("ben", f"{address}reach/segments/nobody/", now=now, status=404)


def test_a_rule_of_many_conditions_is_reviewed_line_by_line(now: datetime) -> None:
    make.spring_sale(now=now)
    french, far = {"profile": "locale", "op": "is", "value": "fr"}, {"profile": "country", "op": "is", "value": "NZ"}
    both = {"all": [french, {"profile": "country", "op": "is", "value": "CA"}]}
    make.in_force("segment", "everyone", make.segment(title="Some", rule={"any": [far, both, french]}), now=now)
    make.put("segment", "everyone", make.segment(title="Some", rule={"any": [far, french]}), now=now)
    submission = governance.submit(make.person("ada", now=now), "segment", "everyone", number=3, now=now)
    words = _page("ben", f"/console/approvals/{submission.pk}/", now=now).partition("In words")[2].partition("</li>")[0]
    assert words.count('<span class="change-line" data-depth="0">People for whom at least one of these holds:</span>') == 2
    assert '<span class="change-line" data-depth="1"><del>– all of these hold:</del></span>' in words
    assert '<span class="change-line" data-depth="2"><del>– whose country is “CA”</del></span>' in words
    assert words.count('data-depth="1">– whose country is “NZ”</span>') == 2 and "<ins>" not in words
    make.put("segment", "new", make.segment(title="New", rule={"any": [far, both]}), now=now)
    submission = governance.submit(make.person("ada", now=now), "segment", "new", number=1, now=now)
    assert "holds: – whose country is “NZ” – all of these hold: – whose language" in _page(
        "ben", f"/console/approvals/{submission.pk}/", now=now
    )


def test_whoever_submits_is_told_everything_that_goes_along(now: datetime) -> None:
    make.spring_sale(now=now)
    make.put("segment", "everyone", make.segment(title="Nearly everyone", rule={"profile": "country", "op": "is", "value": "GB"}), now=now)
    make.put("campaign", "autumn", make.campaign(title="Autumn sale"), now=now)
    assert 'hx-get="/console/campaigns/autumn/goes-along/"' in _page("ada", "/console/campaigns/autumn/", now=now)
    said = _page("ada", "/console/campaigns/autumn/goes-along/", now=now)
    assert "2 changes for somebody else to vouch for" in said
    assert said.index("Autumn sale") < said.index("Nearly everyone") and "Segment, revision 1 → 2" in said and "Campaign, new" in said
    _page("ada", "/console/campaigns/nothing/goes-along/", now=now, status=404)


def test_campaigns_go_by_their_titles_wherever_they_are_named(now: datetime) -> None:
    [person] = make.profiles(1, now=now)
    key = make.spring_sale(now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    delivery.pause(make.person("ben", now=now), run.dispatch_id, now=now, reason="a look")
    assert "Only Spring sale: 1 person waits</option>" in _page("ben", "/console/delivery/", now=now)
    delivery.resume(make.person("ben", now=now), run.dispatch_id, now=now, reason="")
    worker.drain(now=lambda: now)
    [sent] = delivery.messages(run.workspace_id, dispatch_id=run.dispatch_id).items

    for address in (
        f"/console/messages/?dispatch={run.dispatch_id}",
        f"/console/messages/{sent.message_id}/",
        f"/console/messages/of/{person}/",
        "/console/segments/everyone/checks/",
    ):
        said = _page("vera", address, now=now)
        assert "Spring sale" in said and f">{key}<" not in said and f">{key} ·" not in said
    assert "<strong>Everyone</strong>" in _page("vera", f"/console/campaigns/{key}/checks/", now=now)
    assert "Of Spring sale. " in _page("vera", f"/console/runs/?campaign={key}", now=now)


def test_the_search_for_a_person_tells_the_latest_runs_and_the_reason_first(now: datetime) -> None:
    here, there = make.profile(now=now, external_id="ada"), make.profile(now=now, external_id="eva", country="PT", consents=())
    key = make.spring_sale(now=now)
    run = pipeline.launch(make.person("ben", now=now), key, now=now)
    worker.drain(now=lambda: now)
    said = _page("vera", "/console/messages/?q=eva", now=now)
    assert "in the latest runs" in said and f"profile={there}&amp;dispatch={run.dispatch_id}" in said
    assert "no consent for this topic" in said and "Left out" in said
    said = _page("vera", f"/console/messages/?profile={there}&dispatch={run.dispatch_id}", now=now)
    assert "<strong>Not sent: no consent for this topic.</strong> So it was when the run was launched." in said
    assert 'value="eva"' in said and "<summary>Why they were in the audience</summary>" in said
    said = _page("vera", f"/console/messages/?profile={here}&dispatch={run.dispatch_id}", now=now)
    assert "<strong>Sent.</strong>" in said


def test_a_filter_of_a_list_is_kept_by_name_for_whoever_kept_it(now: datetime) -> None:
    make.spring_sale(now=now)
    list_, keep = "/console/campaigns/?q=spring&state=released", "/console/views/campaigns/"
    assert "Keep this view" in _page("ada", list_, now=now) and "Keep this view" not in _page("ada", "/console/campaigns/", now=now)
    _page("ada", keep, now=now, status=302, name="  In   force ", q="spring", state="released")
    said = _page("ada", "/console/campaigns/", now=now)
    assert "In force</a>" in said and 'href="?q=spring&amp;state=released"' in said
    assert "Forget “In force”" in _page("ada", list_, now=now)
    assert "In force</a>" not in _page("ben", "/console/campaigns/", now=now), "a view is its owner's"
    assert "In force</a>" not in _page("ada", "/console/segments/", now=now)

    [view] = SavedView.objects.all()
    _page("ben", f"/console/views/{view.pk}/forget/", now=now, status=404, x="")
    for wrong in ({"name": " ", "q": "spring"}, {"name": "Everything", "q": ""}):
        _page("ada", keep, now=now, status=302, **wrong)
    assert SavedView.objects.count() == 1
    _page("ada", keep, now=now, status=302, name="In force", q="summer")
    assert SavedView.objects.get().query == "q=summer", "the same name again is the new filter"
    _page("ada", f"/console/views/{view.pk}/forget/", now=now, status=302, x="")
    assert not SavedView.objects.exists()


def test_an_authors_home_tells_what_became_of_what_they_asked_for(now: datetime) -> None:
    make.spring_sale(now=now)
    make.put("campaign", "autumn", make.campaign(title="Autumn sale"), now=now)
    today = timezone.now()
    submission = governance.submit(make.person("ada", now=now), "campaign", "autumn", number=1, note="", now=today)
    assert (
        "What you asked for" in (home := _page("ada", "/console/", now=now)) and "Awaiting approval" in home.partition("What you asked")[2]
    )
    assert "What you asked for" not in _page("ben", "/console/", now=now)
    ben = make.person("ben", now=now)
    governance.decide(ben, submission.pk, bill_hash=submission.bill_hash, verdict="reject", comment="Not yet.", now=today)
    assert "Rejected" in _page("ada", "/console/", now=now).partition("What you asked")[2]
    again = governance.submit(make.person("ada", now=now), "campaign", "autumn", number=1, note="", now=today + timedelta(minutes=1))
    governance.decide(ben, again.pk, bill_hash=again.bill_hash, verdict="approve", comment="", now=today + timedelta(minutes=2))
    governance.release(ben, again.pk, now=today + timedelta(minutes=3))
    assert "What you asked for" not in _page("ada", "/console/", now=now), "it is in force; there is nothing to follow"


def test_messages_are_found_by_a_part_of_the_campaigns_title(now: datetime) -> None:
    make.profile(now=now, email="ada@example.com")
    pipeline.launch(make.person("ben", now=now), make.spring_sale(now=now), now=now)
    worker.drain(now=lambda: now)
    assert "ada@example.com" in _page("ada", "/console/messages/?q=spring+s", now=now)
    assert "Nothing found" in _page("vera", "/console/messages/?q=winter", now=now)


def test_what_is_no_json_stands_in_its_field_as_it_was_typed(now: datetime) -> None:
    make.person("ada", now=now)
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    typed = {"key": "shop", "/title": "Shop", "/columns:json": '{"mail": "email", oops}'}
    said = client.post("/console/new/import-mappings/", typed).content.decode()
    assert "{&quot;mail&quot;: &quot;email&quot;, oops}" in said
