"""The fields of the users API: how each is checked, rendered and described."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework.exceptions import ValidationError
from rest_framework.fields import CharField, ChoiceField, DateTimeField, IntegerField
from rest_framework.serializers import Serializer

from sync.messaging import phones
from sync.models import CoreUser, Job
from sync.redaction.masking import mask

PAGE_SIZE, MAX_PAGE_SIZE = 50, 200

GIVEN = {"full_name": "Иван Петров", "phone": "8 (916) 123-45-67", "stage": "NEW"}
CREATED = {
    "id": 77,
    "full_name": "Иван Петров",
    "phone": "+79161234567",
    "stage": "NEW",
    "bitrix_lead_id": None,
    "lead": {"state": "waiting", "reason": "", "replied_at": None, "job": None},
    "created_at": "2026-11-21T10:29:00.000000Z",
    "updated_at": "2026-11-21T10:29:00.000000Z",
}
"""Examples of the description: what may be given, and what is answered."""

NO_PHONE = gettext_lazy("The phone is missing: without it no lead can be made.")

_CONTROL = r"\u0000-\u001f\u007f-\u009f"
_TEXT = re.compile(f"[^{_CONTROL}]*")
OPTIONAL_TEXT = f"^[^{_CONTROL}]+$"
REQUIRED_TEXT = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
"""Patterns of the description: text without control characters, and with a character that is no space."""


class TextField(CharField):
    """Text is text: a number or a list is a mistake of the caller's, not its spelling."""

    default_error_messages = {
        "control": gettext_lazy("Line breaks, tabs and other control characters are not allowed.")
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the text without spaces around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        if not _TEXT.fullmatch(data):
            self.fail("control")
        return str(super().to_internal_value(data))


@extend_schema_field({"type": "string", "format": "phone"})
class PhoneField(TextField):
    """A phone number, kept as E.164."""

    default_error_messages = {"required": NO_PHONE, "null": NO_PHONE, "blank": NO_PHONE}

    def to_internal_value(self, data: Any) -> str:
        """Return +79161234567, however it was written."""
        try:
            return phones.normalised(super().to_internal_value(data), settings.PHONE_REGION)
        except ValueError as error:
            raise ValidationError(str(error), "invalid") from error


@extend_schema_field({"type": "string", "format": "cursor"})
class CursorField(TextField):
    """Where a page begins; the pagination makes it."""


class MaskedField(CharField):
    """A sentence for staff, without secrets."""

    def to_representation(self, value: str) -> str:
        """Return the sentence with secrets masked; most rows have none, and to search it takes a while."""
        return mask(value) if value else ""


class UtcField(DateTimeField):
    """A moment in UTC, whatever the time zone of staff."""

    timezone = UTC


class DueField(UtcField):
    """When a waiting job goes on; null for other jobs."""

    def get_attribute(self, job: Job) -> datetime | None:
        """Return the moment."""
        return job.due_at if job.state == Job.State.WAITING else None


class StrictSerializer(Serializer):
    """A serializer that refuses unknown fields: a misspelt name must not be silently dropped."""

    def to_internal_value(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the values, or ValidationError with what is wrong with each field."""
        known = [field.field_name for field in self._writable_fields]
        sentence = _("There is no such field here. There are: %(names)s.") % {"names": ", ".join(known)}
        wrong: dict[str, Any] = {name: [sentence] for name in data if name not in known}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            wrong |= error.detail
        if wrong:
            raise ValidationError(wrong)
        return values


class LeadJobSerializer(Serializer):
    """The newest piece of work on a user's lead."""

    id = IntegerField(read_only=True, help_text="Its number on the staff's pages.")
    state = ChoiceField(Job.State.choices, read_only=True)
    step = CharField(read_only=True, help_text="Where it stands.")
    attempts = IntegerField(read_only=True, min_value=0)
    due_at = DueField(read_only=True, allow_null=True, help_text="When it goes on, if it waits for a moment.")
    note = MaskedField(read_only=True, help_text="Why it is where it is; a sentence for staff.")


class LeadSerializer(Serializer):
    """What is known of a user's lead in Bitrix24."""

    state = ChoiceField(
        CoreUser.LeadState.choices,
        source="lead_state",
        read_only=True,
        help_text="`waiting`: the last request has no reply yet; `linked`: it was done; `failed`: it was not",
    )
    reason = MaskedField(source="lead_reason", read_only=True, help_text="Why it failed.")
    replied_at = UtcField(read_only=True, allow_null=True)
    job = LeadJobSerializer(
        source="newest_job",
        read_only=True,
        allow_null=True,
        help_text="null: there is none, or Bitrix24 is served by another program.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("A user", GIVEN, request_only=True),
        OpenApiExample("The user", CREATED, response_only=True),
    ]
)
class UserSerializer(StrictSerializer):
    """A user and its lead."""

    id = IntegerField(read_only=True, min_value=1)
    full_name = TextField(max_length=200, help_text="As it is to stand in the lead.")
    phone = PhoneField(
        help_text="In any usual spelling; answered as E.164. Without a country code: one of PHONE_REGION."
    )
    stage = TextField(
        max_length=50,
        required=False,
        allow_blank=True,
        help_text="The lead's STATUS_ID in Bitrix24. Empty: the portal's first stage.",
    )
    bitrix_lead_id = IntegerField(
        read_only=True, allow_null=True, help_text="Stays when a later request about the lead fails."
    )
    lead = LeadSerializer(source="*", read_only=True)
    created_at = UtcField(read_only=True)
    updated_at = UtcField(read_only=True)


@extend_schema_serializer(examples=[OpenApiExample("A stage", {"stage": "IN_PROCESS"}, request_only=True)])
class MoveSerializer(StrictSerializer):
    """Where a user is to be moved."""

    stage = TextField(max_length=50, help_text="The lead's STATUS_ID in Bitrix24.")


class UserQuerySerializer(StrictSerializer):
    """Which users a list is to hold."""

    search = TextField(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Part of a name; or an ID or the beginning of a phone number, when it is a number.",
    )
    stage = TextField(max_length=50, required=False, allow_blank=True, help_text="Only users at this stage.")
    lead_state = ChoiceField(
        CoreUser.LeadState.choices, required=False, help_text="Only users whose lead is in this state."
    )
    page_size = IntegerField(
        min_value=1, max_value=MAX_PAGE_SIZE, default=PAGE_SIZE, help_text="Users on a page."
    )
    cursor = CursorField(
        max_length=100,
        required=False,
        help_text="From `next` or `previous` of another page; do not build it.",
    )
