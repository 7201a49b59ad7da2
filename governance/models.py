"""Who may change what, and what was changed: shape and integrity only."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Workspace(models.Model):
    """The boundary that every row of every room lives inside."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    audited = models.PositiveBigIntegerField(default=0, db_default=0)  # the audit trail's last number
    audit_head = models.CharField(max_length=64, blank=True, default="", db_default="")  # and its hash

    def __str__(self) -> str:
        return self.key


class User(AbstractUser):
    """A person who signs in. What they may do is said by a Membership per workspace."""


class Membership(models.Model):
    """A person's role in one workspace; `legal` may approve a change of message class."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    role = models.CharField(max_length=10)
    legal = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_per_workspace")]


class ApiKey(models.Model):
    """A key acts for the user who made it. Only a prefix and a SHA-256 are kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16, unique=True)
    sha256 = models.CharField(max_length=64)
    role = models.CharField(max_length=10)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class SavedView(models.Model):
    """One person's filter of a list, by name. page: the list's kind; query: what stands behind the ? in its address."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user", "page", "name"], name="one_view_per_name")]


class Secret(models.Model):
    """A vendor credential, encrypted with the newest vault key; documents name it, never hold it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    name = models.CharField(max_length=60)
    ciphertext = models.BinaryField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="one_secret_per_name")]


class Document(models.Model):
    """Anything authored: a kind, a key, the latest revision and the released one."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=200, blank=True)
    latest = models.ForeignKey("Revision", on_delete=models.PROTECT, null=True, related_name="+")
    released = models.ForeignKey("Revision", on_delete=models.PROTECT, null=True, related_name="released_by")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "key"], name="one_document_per_key")]


class Revision(models.Model):
    """One immutable state of a document's body: the database refuses every change but a recall."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    body = models.JSONField()
    sha256 = models.CharField(max_length=64)
    uses = models.JSONField(default=list)  # [[kind, key], …]: what the body refers to
    findings = models.JSONField(default=list)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    via = models.CharField(max_length=10)
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    recalled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="one_revision_per_number")]
        indexes = [
            models.Index(fields=["workspace", "sha256"]),
            models.Index(fields=["workspace"], condition=Q(recalled_at__isnull=False), name="recalled_revisions"),
        ]


class Submission(models.Model):
    """A request to vouch for one bill of materials."""

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"
        RELEASED = "released"

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="submissions")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    bill = models.JSONField()  # [{kind, key, number, sha256, …}] sorted
    bill_hash = models.CharField(max_length=64)
    reach = models.PositiveBigIntegerField(null=True)  # the audience's count when it was submitted
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    note = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "state", "submitted_at"]), models.Index(fields=["workspace", "bill_hash"])]
        constraints = [
            models.UniqueConstraint(fields=["document"], condition=Q(state="open"), name="one_open_submission_per_document"),
        ]


class Decision(models.Model):
    """One person's verdict on one submission, bound to the hash they saw and the count at that moment."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="decisions")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=7)
    comment = models.TextField(blank=True)
    bill_hash = models.CharField(max_length=64)
    reach = models.PositiveBigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "by"], name="one_decision_per_person")]


class Release(models.Model):
    """The history of a document's released pointer."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="releases")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="+")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, null=True, related_name="releases")
    action = models.CharField(max_length=10)  # release, rollback, recall
    reason = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()


class Witness(models.Model):
    """One row per workspace; its epoch grows with every change that sending must notice at once."""

    workspace = models.OneToOneField(Workspace, on_delete=models.PROTECT, primary_key=True)
    epoch = models.PositiveBigIntegerField(default=1)


class AuditEntry(models.Model):
    """Append-only and chained: hash = SHA-256(previous hash + canonical row). Ids only, never addresses."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT)
    n = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    user_id = models.BigIntegerField(null=True)
    api_key_id = models.BigIntegerField(null=True)
    via = models.CharField(max_length=10)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=160)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "n"], name="one_audit_entry_per_number")]
        indexes = [models.Index(fields=["workspace", "subject"])]
