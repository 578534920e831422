# mypy: disable-error-code="no-untyped-call,attr-defined,type-arg"
"""Two views, and their addresses."""

from __future__ import annotations

from django.urls import path
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sandbox.benchmarks.bare.models import Person, Webhook

TOKEN = "demo-token"  # noqa: S105  # of a table that lives for a minute


class Fields(serializers.Serializer[dict[str, str]]):
    """What a webhook must bring."""

    ID = serializers.IntegerField(min_value=1)
    token = serializers.CharField(max_length=100)
    comments = serializers.CharField(required=False, allow_blank=True)

    def validate_token(self, token: str) -> str:
        """The right one."""
        if token != TOKEN:
            raise serializers.ValidationError("The token is wrong.")
        return token


class Hook(APIView):
    """Validate, insert, answer."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """One webhook."""
        fields = Fields(data=request.data)
        fields.is_valid(raise_exception=True)
        given = fields.validated_data
        Webhook.objects.create(record_id=str(given["ID"]), params={"comments": given.get("comments", "")})
        return Response({"success": True, "deal_id": given["ID"]})


class PersonFields(serializers.Serializer[dict[str, str]]):
    """What a user must bring."""

    full_name = serializers.CharField(max_length=200)
    phone = serializers.RegexField(r"^\+\d{7,15}$")
    stage = serializers.CharField(max_length=50, required=False, allow_blank=True)


class DemoUsers(APIView):
    """Validate, insert, answer."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (JSONParser,)

    def post(self, request: Request) -> Response:
        """One user."""
        fields = PersonFields(data=request.data)
        fields.is_valid(raise_exception=True)
        person = Person.objects.create(**fields.validated_data)
        return Response({"id": person.pk, **fields.validated_data}, status=201)


urlpatterns = [path("hook", Hook.as_view()), path("people", DemoUsers.as_view())]
