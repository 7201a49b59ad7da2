"""Delivery's console addresses; what stands in messages and vendors' webhooks are in public_urls."""

from __future__ import annotations

from django.urls import path

from delivery import views

app_name = "delivery"

urlpatterns = [
    path("messages/", views.messages_page, name="messages"),
    path("messages/<str:token>/", views.message, name="message"),
    path("outbox/", views.outbox, name="outbox"),
]
