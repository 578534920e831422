"""The shapes of our answers, for the OpenAPI description alone: `answers.py` makes them.

The tests compare both (tests/api/users/test_users_description.py).
"""

from __future__ import annotations

from rest_framework.fields import (
    BooleanField,
    CharField,
    ChoiceField,
    DateTimeField,
    DictField,
    IntegerField,
    ListField,
    URLField,
)
from rest_framework.serializers import Serializer

from sync.models import CoreUser, Job


class LeadJob(Serializer):
    """The newest piece of work on a user's lead."""

    id = IntegerField(help_text="Its number on the staff's pages.")
    state = ChoiceField(Job.State.choices)
    step = CharField(help_text="Where it stands.")
    attempts = IntegerField(min_value=0)
    due_at = DateTimeField(allow_null=True, help_text="When it goes on, if it waits for a moment.")
    note = CharField(allow_blank=True, help_text="Why it is where it is; a sentence for staff.")


class Lead(Serializer):
    """What is known of a user's lead in Bitrix24."""

    state = ChoiceField(
        CoreUser.LeadState.choices,
        help_text="`waiting`: the last request has no reply yet; `linked`: it was done; `failed`: it was not",
    )
    reason = CharField(allow_blank=True, help_text="Why it failed.")
    replied_at = DateTimeField(allow_null=True)
    job = LeadJob(allow_null=True, help_text="null: there is none, or Bitrix24 is served by another program.")


class UserAnswer(Serializer):
    """A user and its lead."""

    id = IntegerField(min_value=1)
    full_name = CharField()
    phone = CharField(help_text="E.164: + and the country code.")
    stage = CharField(allow_blank=True)
    bitrix_lead_id = IntegerField(
        allow_null=True, help_text="Stays when a later request about the lead fails."
    )
    lead = Lead()
    created_at = DateTimeField()
    updated_at = DateTimeField()


class UserPage(Serializer):
    """Users, the newest first."""

    next = URLField(allow_null=True, help_text="The address of the page with older users.")
    previous = URLField(allow_null=True, help_text="The address of the page with newer ones.")
    results = UserAnswer(many=True)


class Fault(Serializer):
    """Why a request was refused."""

    message = CharField(help_text="For people, in the language of Accept-Language (ru, en).")
    code = CharField(help_text="For programs; it does not change.")
    fields = DictField(
        child=ListField(child=CharField()),
        required=False,
        help_text="What is wrong with which field.",
    )


class Refusal(Serializer):
    """A request that was refused changed nothing."""

    success = BooleanField(help_text="Always false.")
    error = Fault()
    timestamp = IntegerField(help_text="Seconds since 1970.")


class AcceptedWebhook(Serializer):
    """Which deal a webhook was about."""

    status = ChoiceField(["accepted"])
    deal_id = CharField()


class WebhookAnswer(Serializer):
    """The webhook is stored."""

    success = BooleanField(help_text="Always true.")
    result = AcceptedWebhook()
    timestamp = IntegerField(help_text="Seconds since 1970.")
