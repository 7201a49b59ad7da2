"""Delivery's console addresses; what stands in messages and vendors' webhooks are in public_urls."""

from __future__ import annotations

from django.urls import path

from delivery.views import domains, health, in_doubt, messages, outbox, routes, suppressions, webhooks
from governance.door import Pages, register_pages

app_name = "delivery"

register_pages(
    "vendor_route",
    Pages(
        icon="route",
        intro="Through which vendor account a channel leaves, and what it costs.",
        starter={"title": "", "channel": "email", "vendor": "sendgrid"},
    ),
)
register_pages(
    "sender",
    Pages(
        icon="profile",
        intro="Whom messages come from: name and address or number, the firm's postal address, and what the mail's domain must show.",
        preview="delivery:sender",
        starter={"title": "", "channel": "email"},
    ),
)
register_pages(
    "sending_policy",
    Pages(icon="policy", many="Sending policies", intro="Frequency caps, quiet hours, and when to halt.", starter={"title": ""}),
)

urlpatterns = [
    path("messages/", messages.messages_page, name="messages"),
    path("messages/of/<int:profile_id>/", messages.messages_of, name="messages-of"),
    path("messages/<str:token>/", messages.message, name="message"),
    path("messages/<str:token>/content/", messages.content, name="content"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:mail_id>/", outbox.mail, name="mail"),
    path("outbox/<int:mail_id>/frame/", outbox.mail_frame, name="mail-frame"),
    path("senders/<slug:key>/preview/", domains.sender, name="sender"),
    path("delivery/domains/", domains.domains, name="domains"),
    path("delivery/domains/<str:name>/", domains.domain, name="domain"),
    path("delivery/domains/<str:name>/check/", domains.check_domain, name="check-domain"),
    path("delivery/", health.health, name="health"),
    path("delivery/routes/", routes.routes, name="routes"),
    path("delivery/bill/", routes.bill_page, name="bill"),
    path("delivery/switch/", health.throw_switch, name="switch"),
    path("delivery/webhooks/", webhooks.webhooks, name="webhooks"),
    path("delivery/suppressions/", suppressions.suppressions, name="suppressions"),
    path("delivery/suppression/", suppressions.change_suppression, name="suppression"),
    path("delivery/in-doubt/", in_doubt.in_doubt, name="in-doubt"),
    path("delivery/in-doubt/<int:attempt_id>/", in_doubt.request_in_doubt, name="resolve"),
]
