"""Audience's console addresses."""

from __future__ import annotations

from django.urls import path

from audience import offers, rule_forms
from audience.views import (
    attributes,
    dead_letters,
    explorer,
    identity,
    lists,
    profiles,
    rule_values,
    segment_people,
    segment_sets,
    segments,
)
from governance.door import Pages, register_pages

app_name = "audience"

register_pages(
    "segment",
    Pages(
        icon="segment",
        intro="A segment is a rule: the people it describes, whenever it is asked.",
        edit="audience:segment",
        preview="audience:segment-preview",
        list="audience:segments",
        new="audience:new-segment",
        starter=rule_forms.STARTER,
        spoken=segments.spoken,
        outlined=segments.outlined,
        moved="audience:segment-change-of",
        told="/rule",
        group="",
    ),
)
register_pages(
    "attribute",
    Pages(
        icon="attribute",
        list="audience:attributes",
        intro="What may be known about a person: name, type and how sensitive it is.",
        beside=("audience:attribute-values", "What people have"),
        starter={"title": "", "type": "text"},
    ),
)

register_pages(
    "import_mapping",
    Pages(
        icon="upload",
        intro="What the columns of a source’s files become, and how its texts are read.",
        starter={"title": "", "columns": {}},
        offers=offers.of_mapping,
    ),
)
register_pages(
    "event_type",
    Pages(
        icon="event",
        intro="What the events of one name mean, and how long they are kept.",
        starter={"title": "", "name": ""},
    ),
)
register_pages(
    "opt_in",
    Pages(
        icon="policy",
        many="Double opt-in",
        intro="Topics to which somebody has agreed only once they confirmed it by the link in a message.",
        starter={"title": "", "channel": "email", "topics": [], "confirm_with": ""},
        offers=offers.of_opt_in,
    ),
)
register_pages(
    "record_type",
    Pages(
        icon="columns",
        intro="What there is beside people, such as bookings or companies: its fields, and as what people have to do with it.",
        starter={"title": "", "fields": [{"name": "", "type": "text"}]},
    ),
)

urlpatterns = [
    path("segments/", segments.segments, name="segments"),
    path("new/segments/", segments.new_segment, name="new-segment"),
    path("look/segments/", segments.look, name="look"),
    path("look/segments/change/", segment_sets.look_change, name="look-change"),
    path("look/segments/overlap/", segment_sets.look_overlap, name="look-overlap"),
    path("look/values/", rule_values.rule_values, name="look-values"),
    path("compare/segments/", segment_sets.compare, name="compare-segments"),
    path("segments/<slug:key>/", segments.segment, name="segment"),
    path("segments/<slug:key>/preview/", segment_people.preview, name="segment-preview"),
    path("segments/<slug:key>/counted/", segment_people.counted, name="segment-counted"),
    path("segments/<slug:key>/change/", segment_sets.change, name="segment-change"),
    path("segments/<slug:key>/change/of/<int:submission_id>/", segment_sets.change_of, name="segment-change-of"),
    path("segments/<slug:key>/change/of/<int:submission_id>/affected/", segment_sets.affected_by, name="segment-affected"),
    path("segments/<slug:key>/overlap/", segment_sets.overlap, name="segment-overlap"),
    path("segments/<slug:key>/explore/", explorer.explore, name="segment-explore"),
    path("attributes/", attributes.attributes, name="attributes"),
    path("attributes/<slug:key>/values/", attributes.values, name="attribute-values"),
    path("attributes/<slug:key>/decide/", attributes.decide_proposal, name="decide-attribute"),
    path("lists/", lists.lists, name="lists"),
    path("lists/change/", lists.change, name="change-list"),
    path("lists/<slug:key>/people/", lists.members, name="list"),
    path("lists/<slug:key>/people/move/", lists.move_some, name="list-members"),
    path("lists/<slug:key>/people/<int:profile_id>/", lists.move, name="list-member"),
    path("lists/<slug:key>/drop/", lists.drop, name="drop-list"),
    path("dead-letters/", dead_letters.dead_letters, name="dead-letters"),
    path("dead-letters/decide/", dead_letters.decide, name="decide-dead-letters"),
    path("dead-letters/<int:letter_id>/", dead_letters.dead_letter, name="dead-letter"),
    path("profiles/", profiles.profiles, name="profiles"),
    path("profiles/duplicates/", identity.shared, name="duplicates"),
    path("profiles/<int:profile_id>/", profiles.profile, name="profile"),
    path("profiles/<int:profile_id>/merge/", identity.look_for_other, name="look-for-other"),
    path("profiles/<int:profile_id>/merge/<int:other_id>/", identity.merge_two, name="merge"),
    path("profiles/<int:profile_id>/everything/", profiles.everything, name="everything"),
    path("profiles/<int:profile_id>/erase/", profiles.forget, name="erase"),
]
