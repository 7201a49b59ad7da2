"""Signing in and out, and the theme."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from governance import door as governance
from omni.console.forms import SignInForm
from omni.console.shell import THEMES

TRIES, WINDOW = 10, 900  # failed tries per name and address in seconds
YEAR = 365 * 24 * 3600


def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. Ten failed tries for a name from one address close it for a quarter of an hour."""
    target = _safe_target(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        counter = f"sign-in:{request.META.get('REMOTE_ADDR', '')}:{form.cleaned_data['username'].lower()[:150]}"
        if cache.get(counter, 0) >= TRIES:
            form.add_error(None, "Too many tries. Wait a quarter of an hour, then try again.")
            return _page(request, form, target, 429)
        user = authenticate(request, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
        if user is not None:
            cache.delete(counter)
            login(request, user)
            return HttpResponseRedirect(target)
        cache.set(counter, cache.get(counter, 0) + 1, WINDOW)
        form.add_error(None, "No account has this user name and password.")
    return _page(request, form, target, 422 if form.errors else 200)


def _page(request: HttpRequest, form: SignInForm, target: str, status: int) -> HttpResponse:
    return render(request, "console/sign_in.html", {"title": "Sign in", "form": form, "next": target}, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("console:sign-in")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen theme in a cookie."""
    chosen = request.POST.get("theme", "")
    response = HttpResponseRedirect(_safe_target(request, request.POST.get("next", "")))
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


@require_POST
def workspace(request: HttpRequest) -> HttpResponse:
    """Work in another workspace that this person belongs to."""
    chosen = request.POST.get("workspace", "")
    mine = {str(each.workspace_id): each.workspace_id for each in governance.memberships_of(request.user.pk or 0)}
    if chosen in mine:
        request.session["workspace"] = mine[chosen]
    return redirect("console:home")


def _safe_target(request: HttpRequest, target: str) -> str:
    """Where to go next: only to this host."""
    fine = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return target if target.startswith("/") and fine else reverse("console:home")
