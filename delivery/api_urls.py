"""Addresses of the delivery API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from delivery import api, api_money, api_stops

urlpatterns: list[URLPattern] = [
    path("switches", api_stops.Switches.as_view()),
    path("suppressions", api_stops.Suppressions.as_view()),
    path("suppressions/look-up", api_stops.LookUpSuppression.as_view()),
    path("suppressions/lift", api_stops.LiftSuppression.as_view()),
    path("bill", api_money.Bill.as_view()),
    path("bill.csv", api_money.BillAsCsv.as_view()),
    path("domains", api.Domains.as_view()),
    path("domains/<str:domain>", api.OneDomain.as_view()),
    path("domains/<str:domain>/check", api.CheckDomain.as_view()),
]
