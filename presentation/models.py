"""Tables of content: rows by key, as they were loaded."""

from __future__ import annotations

from django.db import models


class ContentTable(models.Model):
    """One table, by its key. load: the number of the load in force; loads: the last one begun; columns: name → kind."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT)
    key = models.CharField(max_length=80)
    load = models.PositiveIntegerField(default=0)
    loads = models.PositiveIntegerField(default=0)
    key_column = models.CharField(max_length=200, blank=True)
    columns = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    loaded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="one_content_table_per_key")]


class ContentRow(models.Model):
    """One row of one load: what it says, by column."""

    workspace = models.ForeignKey("governance.Workspace", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    table = models.ForeignKey(ContentTable, on_delete=models.CASCADE, related_name="+")
    load = models.PositiveIntegerField()
    row_key = models.CharField(max_length=200)
    says = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "load", "row_key"], name="one_content_row_per_key")]
