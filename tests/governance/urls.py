"""The governance API alone, where omni mounts it."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("governance.api_urls"))]
