"""From which domains a workspace writes, as whom, and through which vendor accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from delivery.adapters.mail_facts import MailFacts
from delivery.adapters.registry import ADAPTERS
from delivery.domains.identity import Identity, Mail, of_address, sent_by
from delivery.route_document import VendorRoute
from governance import door as governance
from governance.door import Invalid, RevisionView
from presentation.door import SenderBody, TemplateBody


@dataclass(frozen=True, slots=True)
class Use:
    """One document that mail from a domain comes by. in_force: the released revision says so; else only the draft does."""

    kind: str
    key: str
    title: str
    address: str
    identity: Identity
    in_force: bool


@dataclass(frozen=True, slots=True)
class Account:
    """One released route of e-mail, as far as the DNS is concerned."""

    key: str
    title: str
    facts: MailFacts | None


def uses(workspace_id: int) -> dict[str, list[Use]]:
    """Who writes from which domain: senders, and templates that write theirs out. A few queries, however many there are."""
    by_domain: dict[str, list[Use]] = {}
    for use in (*_senders(workspace_id), *_templates(workspace_id)):
        if use.identity.domain:
            by_domain.setdefault(use.identity.domain, []).append(use)
    return {domain: [_completed(use, some) for use in some] for domain, some in sorted(by_domain.items())}


def accounts(workspace_id: int) -> list[Account]:
    """The vendor accounts that mail may leave by, the preferred one first."""
    routes = governance.all_released(workspace_id, "vendor_route")
    mail = [(view.key, view.model) for view in routes if view.body.get("channel") == "email"]
    mail.sort(key=lambda pair: (-pair[1].weight, pair[0]))
    return [Account(key, route.title, facts_of(route)) for key, route in mail]


def facts_of(route: VendorRoute) -> MailFacts | None:
    """What this account needs in the DNS; None where its vendor isn't known."""
    adapter = ADAPTERS.get(route.vendor)
    return adapter.mail_facts(route.settings) if adapter else None


def mails(some: list[Use], through: list[Account]) -> dict[Mail, list[Use]]:
    """Every way in which these leave, and who leaves so. Without a route nothing is known of the vendor."""
    found: dict[Mail, list[Use]] = {}
    for account in through or [Account("", "", None)]:
        for use in some:
            found.setdefault(sent_by(use.identity, account.facts), []).append(use)
    return found


def completed(workspace_id: int, identity: Identity) -> Identity:
    """An address that a template writes out is signed like the released senders of the same domain."""
    if identity.selectors or not identity.domain:
        return identity
    return next(_known(_senders(workspace_id), identity), identity)


def _completed(use: Use, others: list[Use]) -> Use:
    if use.identity.selectors:
        return use
    return replace(use, identity=next(_known(iter(others), use.identity), use.identity))


def _known(others: Iterator[Use], identity: Identity) -> Iterator[Identity]:
    for other in others:
        theirs = other.identity
        if other.kind == "sender" and other.in_force and theirs.domain == identity.domain and theirs.selectors:
            yield replace(
                identity, selectors=theirs.selectors, dkim_domain=theirs.dkim_domain, return_path=identity.return_path or theirs.return_path
            )


def _senders(workspace_id: int) -> Iterator[Use]:
    for view, revision, in_force in _revisions(workspace_id, "sender"):
        body: SenderBody = revision.model
        if body.channel == "email" and body.address:
            yield Use("sender", revision.key, view, body.address, of_address(body.address, "", body), in_force)


def _templates(workspace_id: int) -> Iterator[Use]:
    for title, revision, in_force in _revisions(workspace_id, "template"):
        if revision.body.get("channel") != "email" or not isinstance(revision.body.get("sender"), Mapping):
            continue
        body: TemplateBody = revision.model
        if address := body.written_sender.address:
            yield Use("template", revision.key, title, address, of_address(address, body.reply_to or ""), in_force)


def _revisions(workspace_id: int, kind: str) -> Iterator[tuple[str, RevisionView, bool]]:
    """Title and revision: what is in force, and the draft where that says something else."""
    for view in governance.documents(workspace_id, kind):
        fresh = view.released is None or view.released.sha256 != view.latest.sha256
        for revision, in_force in ((view.released, True), (view.latest if fresh else None, False)):
            if revision is None:
                continue
            try:
                _ = revision.model
            except Invalid:
                continue  # a body that today's schema no longer accepts sends nothing
            yield view.title or view.key, revision, in_force
