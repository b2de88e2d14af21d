"""A researcher's own tokens for the API."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from knox.models import AuthToken

from studies.errors import DomainError
from studies.services.tokens import create_token, revoke_token
from studies.views.workspace.pages import MemberRequest, workspace_page


@require_http_methods(["GET", "POST"])
@workspace_page
def tokens(request: MemberRequest) -> HttpResponse:
    """The list; a POST creates a token and answers with the page that shows it, once."""
    new_token = create_token(user=request.user) if request.method == "POST" else ""
    context = {
        "section": "tokens",
        "new_token": new_token,
        "tokens": AuthToken.objects.filter(user=request.user).order_by("-created"),
    }
    return render(request, "workspace/tokens.html", context)


@require_POST
@workspace_page
def revoke(request: MemberRequest) -> HttpResponse:
    try:
        revoke_token(user=request.user, key=request.POST.get("key", ""))
    except DomainError as error:
        messages.error(request, f"Nothing was changed: {error.detail}.")
    else:
        messages.success(request, "The token is revoked. Programs that used it are refused.")
    response = redirect("workspace:tokens")
    response.status_code = 303
    return response
