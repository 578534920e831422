"""The bad news for the template of the admin's first page."""

from typing import Any

from django import template

from sync.admin import overview

register = template.Library()


@register.simple_tag
def bad_news(user: Any) -> list[dict[str, Any]] | None:
    """Rows of the table, only what `user` may see."""
    return overview.bad_news(user)
