"""Who we know, what they did, what they agreed to: shape and integrity only.

Foreign keys have no index of their own: every look-up is led by the workspace, and each index costs every import. Consent is looked up
by person only, so it has no index by topic, which a planner could prefer while its statistics are old.
"""

from __future__ import annotations

from django.db import models

from governance.door import Workspace

SEARCHED = ("int8_ops", "varchar_pattern_ops")
OF_ANOTHER = models.Q(merged_into__isnull=False)


class Profile(models.Model):
    """A person. The key is a never-reused bigint, because sets of people are bitmaps; external ids are unique per workspace.

    attributes: as given, for people and templates. folded: the same values in the form that rules compare (text in NFC without
    case, days "2026-01-31", instants in UTC of one width, numbers and booleans as they are, lists of folded text), written with it.
    email_key: the address as duplicates and rules compare it. gone_at: since when nobody is behind this number any more: the person was
    erased, or is the one of merged_into, whom this row's external id leads to from then on. alias: it never was a person of its own.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    external_id = models.CharField(max_length=200)
    email = models.CharField(max_length=320, null=True)
    email_key = models.CharField(max_length=320, null=True)
    phone = models.CharField(max_length=20, null=True)
    locale = models.CharField(max_length=35, null=True)
    country = models.CharField(max_length=2, null=True)
    zone = models.CharField(max_length=60, null=True)
    attributes = models.JSONField(default=dict)
    folded = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    merged_into = models.BigIntegerField(null=True)  # never a number that was merged itself
    alias = models.BooleanField(default=False, db_default=False)

    class Meta:
        # The pattern classes serve equality and, whatever the database's collation, searches by the start of the text.
        constraints = [
            models.UniqueConstraint(fields=["workspace", "external_id"], name="one_profile_per_external_id", opclasses=SEARCHED),
            models.CheckConstraint(condition=models.Q(merged_into=None) | models.Q(gone_at__isnull=False), name="who_was_merged_is_gone"),
        ]
        indexes = [
            models.Index(fields=["workspace", "email_key"], name="profiles_by_email", opclasses=SEARCHED),
            models.Index(fields=["workspace", "phone"], name="profiles_by_phone", opclasses=SEARCHED),
            # Who lives where without reading their rows, which rules ask most: a tenth of the time that the rows take.
            models.Index(fields=["workspace", "country", "id"], name="people_by_country", condition=models.Q(gone_at__isnull=True)),
            # Everybody's number without reading their rows: for sets of everyone, and for who of an event's people is still there.
            models.Index(fields=["workspace", "id"], name="people_there", condition=models.Q(gone_at__isnull=True)),
            models.Index(fields=["workspace", "external_id"], name="other_ids", condition=OF_ANOTHER),
            models.Index(fields=["workspace", "merged_into"], name="other_ids_of_a_person", condition=OF_ANOTHER),
            # Whether any of many was merged, without a look at each one's row.
            models.Index(fields=["workspace", "id"], name="people_merged", condition=OF_ANOTHER),
        ]


class Event(models.Model):
    """Something a person did. folded: the properties in the form that rules compare."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    event_id = models.CharField(max_length=200)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="events", db_index=False)
    name = models.CharField(max_length=80)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField(default=dict)
    folded = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "event_id"], name="one_event_per_id")]
        indexes = [
            models.Index(fields=["workspace", "name", "at", "profile"], name="who_did_what_when"),  # so that counting reads no event's row
            models.Index(fields=["workspace", "profile", "name", "at"]),
        ]


class Subscription(models.Model):
    """What a person agreed to now: one row per channel and topic; topic "*" is the whole channel.

    pending: they were asked to confirm until confirm_until, and did not yet, which is no agreement. refused: what they are to confirm
    would lift a refusal, which stands until then.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="subscriptions", db_index=False)
    channel = models.CharField(max_length=30)
    topic = models.CharField(max_length=80)
    state = models.CharField(max_length=12)  # subscribed, unsubscribed, pending
    source = models.CharField(max_length=80)
    wording = models.CharField(max_length=200, blank=True)
    basis = models.CharField(max_length=24, blank=True)  # in law, of an agreement
    expires_at = models.DateTimeField(null=True)  # an agreement that isn't renewed until then is none any more
    confirm_until = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "profile", "channel", "topic"], name="one_consent_per_topic")]


class Device(models.Model):
    """A phone or a browser that push messages reach. platform: fcm, apns or webpush; address: its token, or a browser's subscription;
    fingerprint: by which it is known again, whoever has it. invalid_at: since when its vendor says that it doesn't exist any more."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="devices", db_index=False)
    platform = models.CharField(max_length=12)
    address = models.TextField()
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    invalid_at = models.DateTimeField(null=True)
    invalid_why = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "fingerprint"], name="one_person_per_device")]
        indexes = [models.Index(fields=["workspace", "profile"], name="devices_of_a_person")]


class SubscriptionEntry(models.Model):
    """The append-only proof behind Subscription: who agreed or refused, when, through what, to which wording.

    confirms_id: of an agreement that was confirmed, the pending entry whose link was followed.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="subscription_entries", db_index=False)
    channel = models.CharField(max_length=30)
    topic = models.CharField(max_length=80)
    state = models.CharField(max_length=12)
    source = models.CharField(max_length=80)
    wording = models.CharField(max_length=200, blank=True)
    basis = models.CharField(max_length=24, blank=True)  # in law, of an agreement
    expires_at = models.DateTimeField(null=True)  # an agreement that isn't renewed until then is none any more
    confirm_until = models.DateTimeField(null=True)
    refused = models.BooleanField(default=False)
    confirms_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "profile", "channel", "topic", "at"])]


class Snapshot(models.Model):
    """A segment's people at one moment, as a bitmap (BitMap64, zlib). day: whose daily snapshot it is (UTC); bitmap: empty in old ones."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    segment_key = models.CharField(max_length=80)
    revision_sha = models.CharField(max_length=64)
    as_of = models.DateTimeField()
    day = models.DateField(null=True)
    count = models.PositiveBigIntegerField()
    bitmap = models.BinaryField()
    engine = models.CharField(max_length=40)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "segment_key", "-as_of"], name="snapshots_of_a_segment")]
        constraints = [models.UniqueConstraint(fields=["workspace", "segment_key", "day"], name="one_snapshot_a_day")]


class Recount(models.Model):
    """Somebody's computed attribute is to be counted anew: an event came, or its answer changes by itself then."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    attribute = models.CharField(max_length=80)
    profile_id = models.BigIntegerField()
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "attribute", "profile_id"], name="one_recount_each")]


class ComputedSeed(models.Model):
    """A computed attribute in the form in which everybody was counted; again_at: when once more."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    attribute = models.CharField(max_length=80)
    computed = models.TextField()
    again_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "attribute"], name="one_seed_each")]


class FactColumn(models.Model):
    """A column of ProfileFacts that holds an attribute, or a part of one. place: of audience/backends/facts_sql.COLUMNS; waits_for:
    transactions that may not know of it, None: not looked for yet; filled_to: the people up to this number have it; ready: all do."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=130)
    type = models.CharField(max_length=12)
    waits_for = models.JSONField(null=True)
    filled_to = models.BigIntegerField(default=0)
    ready = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "place"], name="one_attribute_per_place")]


class ProfileFacts(models.Model):
    """What rules ask most of a person, beside the columns for attributes. PostgreSQL keeps it by itself (audience/backends/facts_sql.py,
    which says why these indexes); empty on SQLite."""

    profile_id = models.BigIntegerField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    has_email = models.BooleanField()
    has_phone = models.BooleanField()
    n0, n1, n2, n3, n4, n5, n6, n7 = (models.FloatField(null=True) for _ in range(8))
    t0, t1, t2, t3, t4, t5, t6, t7 = (models.TextField(null=True) for _ in range(8))
    country = models.TextField(null=True)
    locale = models.TextField(null=True)

    class Meta:
        db_table = "audience_facts"
        indexes = [
            models.Index(
                fields=["workspace", "country"],
                include=["profile_id", "has_email", "has_phone", *(f"{kind}{place}" for kind in "nt" for place in range(8)), "locale"],
                name="facts",
            ),
            *(
                models.Index(
                    fields=["workspace", f"n{place}", "profile_id"],
                    name=f"facts_n{place}",
                    condition=models.Q((f"n{place}__isnull", False)),
                )
                for place in range(8)
            ),
        ]


class ProposedAttribute(models.Model):
    """A name that came with people and isn't in the catalogue. type: what its values look like; times: in how many rows it came. A row
    that is sent anew counts anew; an import that goes on where it was broken off counts each of its rows once."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    name = models.CharField(max_length=80)
    type = models.CharField(max_length=12)
    times = models.PositiveBigIntegerField()
    source = models.CharField(max_length=80)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_proposal_each")]


class IdList(models.Model):
    """A list of people that somebody uploaded. people: how many are on it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=120)
    people = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_list_per_key")]


class ListMember(models.Model):
    """Somebody is on a list."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    of = models.ForeignKey(IdList, on_delete=models.CASCADE, related_name="members", db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["of", "profile"], name="once_on_a_list")]


class Record(models.Model):
    """Something beside people: a booking, a company. type: the key of its record type; attributes and folded: as a profile's, by its
    fields."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    type = models.CharField(max_length=80)
    external_id = models.CharField(max_length=200)
    attributes = models.JSONField(default=dict)
    folded = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "type", "external_id"], name="one_record_per_external_id")]


class Relation(models.Model):
    """Somebody has to do with a record. role: as what, one of its type's; "" where it has none. The constraint's index finds a record's
    people, the other one a person's records."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="relations", db_index=False)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="relations", db_index=False)
    role = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["record", "profile", "role"], name="once_in_a_role")]
        indexes = [models.Index(fields=["profile", "record"], name="records_of_a_person")]


class ProfileFeed(models.Model):
    """A profile changed: written with the change by the same SQL, leased and deleted by whoever keeps the index."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    profile_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "id"])]


class EventFeed(models.Model):
    """An event that may trigger something: written with the event, leased and deleted by the trigger."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["workspace", "id"])]


class ConfirmationFeed(models.Model):
    """Somebody is to be asked whether they meant it: written with the pending entry, deleted by whoever sends the question. due_at: when
    it is looked at again, where it could not be sent."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    profile_id = models.BigIntegerField(db_index=True)
    entry_id = models.BigIntegerField()
    at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)


class ImportedFile(models.Model):
    """How far a file of people or of records was taken: written with its rows, in the same transaction, so that a killed import goes on
    where it was.

    import_key: what was asked (the place, and what columns become); name: the file's path below the place; fingerprint: tells its
    bytes from later ones; mark: when it was written, for watermarks; rows: its first rows that were seen to; rejects_size:
    bytes of the file of rejects then.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    import_key = models.CharField(max_length=64)
    name = models.CharField(max_length=1000)
    fingerprint = models.CharField(max_length=64)
    mark = models.CharField(max_length=1000, blank=True)
    rows = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    consents = models.BigIntegerField(default=0)
    related = models.BigIntegerField(default=0)
    unrelated = models.BigIntegerField(default=0)
    rejects_size = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "import_key", "name"], name="one_state_per_imported_file")]


class DeadLetter(models.Model):
    """An entry of a stream that could not be recorded. holds: "profiles" or "events"; entry_at: when the broker took it; external_id:
    whom it is about, where that can be read; recorder: what recorded the consents in it; body: as it came, until it is settled; whole:
    whether that is all of it; reason: in one word; findings: what is wrong, as of last_at; times: how often it was tried.

    state: waiting, replayed, dropped, or expired (nobody came to it in time).
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    stream = models.CharField(max_length=200)
    entry_id = models.CharField(max_length=80)
    entry_at = models.DateTimeField()
    holds = models.CharField(max_length=8)
    external_id = models.CharField(max_length=200, blank=True)
    recorder = models.CharField(max_length=80, blank=True)
    body = models.TextField()
    whole = models.BooleanField()
    reason = models.CharField(max_length=16)
    findings = models.JSONField(default=list)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, default="waiting")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "stream", "entry_id"], name="one_dead_letter_per_entry")]
        indexes = [
            models.Index(fields=["workspace", "state", "id"], name="dead_letters_by_state"),
            models.Index(fields=["workspace", "external_id"], name="dead_letters_of_a_person"),
        ]


class StreamTurn(models.Model):
    """Who reads a stream whose order counts, and until when without a word (audience/streams/turn.py)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    stream = models.CharField(max_length=200)
    consumer = models.CharField(max_length=120, blank=True)
    until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "stream"], name="one_turn_per_stream")]
