from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

ROOMS = {"governance", "audience", "presentation", "rendering", "optimization", "delivery", "workflow"}
WITHOUT = {
    "governance.Workspace": "is the workspace",
    "governance.User": "a person may belong to several: what they may do is a Membership",
    "delivery.Instance": "is about this copy of the database, not about what is in it",
}
TABLES = [model for model in apps.get_models(include_auto_created=False) if model._meta.app_label in ROOMS and not model._meta.proxy]


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label)
def test_every_table_of_every_room_carries_its_workspace(model: type[models.Model]) -> None:
    if model._meta.label in WITHOUT:
        return
    columns = {field.attname for field in model._meta.local_fields}
    assert "workspace_id" in columns, f"{model._meta.label} needs workspace_id"


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model._meta.label)
def test_every_natural_key_starts_with_a_workspace_or_a_row_of_one(model: type[models.Model]) -> None:
    if model._meta.label in WITHOUT:
        return
    for rule in model._meta.constraints:
        if isinstance(rule, models.UniqueConstraint) and rule.fields:
            field = model._meta.get_field(rule.fields[0])
            scoped = field.name.endswith("_id") or field.is_relation
            assert scoped, f"{model._meta.label}: {rule.name} starts with {rule.fields[0]}"
