"""Addresses of delivery."""

from __future__ import annotations

from delivery.public_urls import urlpatterns as public

app_name = "delivery"
urlpatterns = [*public]
