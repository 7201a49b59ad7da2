"""What other rooms may use of governance."""

from governance.access import ConsoleRequest, role_required
from governance.api_authentication import ApiKeyAuthentication, ApiKeyThrottle, ApiRequest, HasScope
from governance.api_keys import create_api_key, revoke_api_key
from governance.approvals import decide, find_submission, items_of, submit, withdraw
from governance.approved import Approval, approval
from governance.audit import audit
from governance.bills import Bill, BillItem, bill
from governance.blame import Blame, blame
from governance.canonical import canonical, sha256
from governance.checking import check_latest
from governance.command import DoorCommand, Report, plural
from governance.difference import Change, difference
from governance.documents import ApprovalPolicy, policy
from governance.editing import Body, Edit, Editor, draw, edit, in_words, posted_body, saved_redirect
from governance.finding_documents import FoundDocument, find_documents, used_by
from governance.findings import (
    Conflict,
    DoorError,
    Finding,
    Invalid,
    Missing,
    Refused,
    Stale,
    Unmatched,
    parse,
    pointer,
    shorten,
    still_empty,
)
from governance.form_bodies import escape_part, field_id, focus_after, listed, look_up, mapped, place, read_body, take_step
from governance.kinds import CheckContext, Kind, Ref, kind, kind_of_plural, kinds, register
from governance.members import (
    actor_for,
    create_workspace,
    default_workspace,
    members,
    memberships_of,
    operator,
    remove_member,
    set_member,
    system_actor,
)
from governance.models import ApiKey, AuditEntry, Decision, Membership, Release, Revision, Submission, User, Workspace
from governance.pages import Pages, console_page, document_address, document_context, error_page, pages_of, register_pages
from governance.paging import PAGING, Page, page, whole_number
from governance.prepared import prepared_cursor
from governance.reachable import Barred, Unreachable, addresses_of, is_inside, networks_of, plain_host
from governance.reading import (
    DocumentView,
    RevisionView,
    all_released,
    document,
    documents,
    drafted,
    released,
    revision,
    revision_by_id,
    revisions,
    titles,
    titles_of_kinds,
    users_of,
)
from governance.releases import recall, recalled, release, roll_back
from governance.revisions import save
from governance.roles import SCOPES, Actor, Role, allow
from governance.schema import DocumentModel, Like, Slug, Text
from governance.strict_json import Malformed
from governance.strict_json import loads as read_json
from governance.vault import secret, secret_names, set_secret
from governance.views.lists import list_context
from governance.views.reviews import own_submissions, waiting_for, waiting_submissions
from governance.witness import bump, epoch, hold_epoch
from governance.yaml_files import read as read_yaml
from governance.yaml_files import write as write_yaml
from governance.zones import zone_names

__all__ = [
    "PAGING",
    "SCOPES",
    "Actor",
    "ApiKey",
    "ApiKeyAuthentication",
    "ApiKeyThrottle",
    "ApiRequest",
    "Approval",
    "ApprovalPolicy",
    "AuditEntry",
    "Barred",
    "Bill",
    "BillItem",
    "Blame",
    "Body",
    "Change",
    "CheckContext",
    "Conflict",
    "ConsoleRequest",
    "Decision",
    "DocumentModel",
    "DocumentView",
    "DoorCommand",
    "DoorError",
    "Edit",
    "Editor",
    "Finding",
    "FoundDocument",
    "HasScope",
    "Invalid",
    "Kind",
    "Like",
    "Malformed",
    "Membership",
    "Missing",
    "Page",
    "Pages",
    "Ref",
    "Refused",
    "Release",
    "Report",
    "Revision",
    "RevisionView",
    "Role",
    "Slug",
    "Stale",
    "Submission",
    "Text",
    "Unmatched",
    "Unreachable",
    "User",
    "Workspace",
    "actor_for",
    "addresses_of",
    "all_released",
    "allow",
    "approval",
    "audit",
    "bill",
    "blame",
    "bump",
    "canonical",
    "check_latest",
    "console_page",
    "create_api_key",
    "create_workspace",
    "decide",
    "default_workspace",
    "difference",
    "document",
    "document_address",
    "document_context",
    "documents",
    "drafted",
    "draw",
    "edit",
    "epoch",
    "error_page",
    "escape_part",
    "field_id",
    "focus_after",
    "find_documents",
    "find_submission",
    "hold_epoch",
    "in_words",
    "is_inside",
    "items_of",
    "kind",
    "kind_of_plural",
    "kinds",
    "list_context",
    "listed",
    "look_up",
    "mapped",
    "members",
    "memberships_of",
    "networks_of",
    "operator",
    "own_submissions",
    "page",
    "pages_of",
    "parse",
    "place",
    "plain_host",
    "plural",
    "pointer",
    "prepared_cursor",
    "policy",
    "posted_body",
    "read_body",
    "read_json",
    "read_yaml",
    "recall",
    "recalled",
    "register",
    "register_pages",
    "release",
    "released",
    "remove_member",
    "revision",
    "revision_by_id",
    "revisions",
    "revoke_api_key",
    "role_required",
    "roll_back",
    "save",
    "saved_redirect",
    "secret",
    "secret_names",
    "set_member",
    "set_secret",
    "sha256",
    "shorten",
    "still_empty",
    "submit",
    "system_actor",
    "take_step",
    "used_by",
    "titles",
    "titles_of_kinds",
    "users_of",
    "waiting_for",
    "waiting_submissions",
    "withdraw",
    "write_yaml",
    "zone_names",
    "whole_number",
]
