"""Addresses of the HTTP edge."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
