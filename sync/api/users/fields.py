"""What a caller may give: the fields of a body and of a query, each checked, none silently dropped."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from rest_framework.fields import CharField, ChoiceField, IntegerField
from rest_framework.serializers import Serializer

from sync.messaging import phones
from sync.models import CoreUser

PAGE_SIZE, LARGEST_PAGE = 50, 200

NO_PHONE = gettext_lazy("The phone is missing: without it no lead can be made.")

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
PLAIN, VISIBLE = f"[^{_CONTROL}]", rf"[^\s{_CONTROL}]"
"""Regular expressions of a character that is no control character, and of one that is no space either."""

_TEXT = re.compile(f"{PLAIN}*")


class Text(CharField):
    """Text is text: a number or a list is a mistake of the caller's, not its spelling."""

    looks_like: ClassVar[str] = ""
    """The format that the description names, when it is not just any text."""

    default_error_messages = {
        "control": gettext_lazy("Line breaks, tabs and other control characters are not allowed.")
    }

    def to_internal_value(self, data: Any) -> str:
        """The text without spaces around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        if not _TEXT.fullmatch(data):
            self.fail("control")
        return str(super().to_internal_value(data))


class Phone(Text):
    """A phone number, as E.164."""

    looks_like = "phone"
    default_error_messages = {"required": NO_PHONE, "null": NO_PHONE, "blank": NO_PHONE}

    def to_internal_value(self, data: Any) -> str:
        """+79161234567, however it was written."""
        try:
            return phones.normalised(super().to_internal_value(data), settings.PHONE_REGION)
        except ValueError as error:
            raise ValidationError(str(error), "invalid") from error


class PageMark(Text):
    """Where a page begins; we make it ourselves."""

    looks_like = "cursor"


class Strict(Serializer):
    """Fields that refuse what they do not know: a misspelt name must not be silently dropped.

    One instance serves all requests (`checked`): it keeps nothing of them.
    """

    def checked(self, given: dict[str, Any]) -> dict[str, Any]:
        """The values, or ValidationError with what is wrong with each field."""
        wrong: dict[str, Any] = {name: [self._unknown()] for name in given.keys() - self.fields.keys()}
        try:
            values: dict[str, Any] = self.run_validation(given)
        except ValidationError as error:
            wrong |= error.detail
        if wrong:
            raise ValidationError(wrong)
        return values

    def _unknown(self) -> str:
        return _("There is no such field here. There are: %(names)s.") % {"names": ", ".join(self.fields)}


class UserFields(Strict):
    """A user as a caller gives it."""

    full_name = Text(max_length=200, help_text="As it is to stand in the lead.")
    phone = Phone(
        max_length=50,
        help_text="In any usual spelling; kept as E.164. Without a country code: one of PHONE_REGION.",
    )
    stage = Text(
        max_length=50,
        required=False,
        allow_blank=True,
        help_text="The lead's STATUS_ID in Bitrix24. Empty: the portal's first stage.",
    )


class Changes(UserFields):
    """Fields of a user that are to become different; what is not given stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, partial=True, **kwargs)


class Stage(Strict):
    """Where a user is to be moved."""

    stage = Text(max_length=50, help_text="The lead's STATUS_ID in Bitrix24.")


class Wanted(Strict):
    """Which users a list is to hold."""

    search = Text(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Part of a name; or an ID or the beginning of a phone number, when it is a number.",
    )
    stage = Text(max_length=50, required=False, allow_blank=True, help_text="Only users at this stage.")
    lead_state = ChoiceField(
        CoreUser.LeadState.choices, required=False, help_text="Only users whose lead is in this state."
    )
    page_size = IntegerField(
        min_value=1, max_value=LARGEST_PAGE, default=PAGE_SIZE, help_text="Users on a page."
    )
    cursor = PageMark(
        max_length=100,
        required=False,
        help_text="From `next` or `previous` of another page; do not build it.",
    )


USER, CHANGES, STAGE, WANTED = UserFields(), Changes(), Stage(), Wanted()
