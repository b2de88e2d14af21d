"""Signing in and out."""

from django.contrib.auth.views import LoginView, LogoutView
from django.views.decorators.cache import never_cache

sign_in = never_cache(
    LoginView.as_view(template_name="workspace/sign_in.html", redirect_authenticated_user=True)
)
sign_out = LogoutView.as_view()
