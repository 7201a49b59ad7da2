"""Addresses of the delivery API, below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, path

from delivery import api, api_money

urlpatterns: list[URLPattern] = [
    path("bill", api_money.Bill.as_view()),
    path("bill.csv", api_money.BillAsCsv.as_view()),
    path("domains", api.Domains.as_view()),
    path("domains/<str:domain>", api.OneDomain.as_view()),
    path("domains/<str:domain>/check", api.CheckDomain.as_view()),
]
