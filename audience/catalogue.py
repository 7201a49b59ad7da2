"""The attribute catalogue: what may be known about a person, of which type and how sensitive. Document kind `attribute`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from audience.values import AttributeType
from governance import door as governance
from governance.door import CheckContext, DocumentModel, Finding, Kind, Text

Sensitivity = Literal["public", "internal", "personal", "sensitive"]
MAX_ATTRIBUTES = 200  # of one person
TYPE_WORDS: dict[str, JsonValue] = {
    "text": "A text",
    "number": "A number",
    "boolean": "Yes or no",
    "date": "A day",
    "datetime": "A day and time",
    "list": "Several texts",
}
PRIVACY_WORDS: dict[str, JsonValue] = {
    "public": "Public",
    "internal": "For use inside the company",
    "personal": "Personal",
    "sensitive": "Sensitive",
}
TAKEN = ("external_id", "email", "phone", "locale", "country", "zone", "created_at")


class AttributeBody(DocumentModel):
    """One attribute; its name is the document's key."""

    title: Annotated[str, Text(120)]
    type: AttributeType = Field(title="What it holds", json_schema_extra={"words": TYPE_WORDS})
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    unit: Annotated[str, Text(40, min=0)] = Field(default="", json_schema_extra={"help": "Such as nights or USD."})
    sensitivity: Sensitivity = Field(default="internal", title="How private it is", json_schema_extra={"words": PRIVACY_WORDS})


def _checks(context: CheckContext, body: AttributeBody) -> Sequence[Finding]:
    if context.key in TAKEN:
        return [Finding("error", "", f"the key {context.key}", "another name: this is a field that every profile has")]
    try:
        before = governance.released(context.workspace_id, ATTRIBUTE.name, context.key).model.type
    except governance.Missing:
        return []
    if before == body.type:
        return []
    expected = f"the released type, {before}: values that are kept already match no rule until they are sent again"
    return [Finding("warning", "/type", body.type, expected)]


ATTRIBUTE = Kind(name="attribute", plural="attributes", title="Attribute", schema=AttributeBody, checks=_checks)
Catalogue = Mapping[str, AttributeBody]


def catalogue(workspace_id: int) -> dict[str, AttributeBody]:
    """All attributes by name: as released, or as drafted where there is no released one yet."""
    drafts = {key: governance.parse(AttributeBody, body) for key, body in governance.drafted(workspace_id, ATTRIBUTE.name).items()}
    in_force: dict[str, AttributeBody] = {view.key: view.model for view in governance.all_released(workspace_id, ATTRIBUTE.name)}
    return dict(sorted({**drafts, **in_force}.items()))
