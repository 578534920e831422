"""The section of the configuration file: which keys a block has and what each may hold.

A key that the file does not mention leaves what staff have set; a new row then gets the model's default. So
the defaults below only tell "not given", and `model_fields_set` tells which keys were.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from sync.config.columns import number_of, one_of, text_of
from sync.config.secrets import address_of, from_environment
from sync.connectors import CONNECTORS, is_called
from sync.mapping.checks import checked_text, checked_values
from sync.models import FieldMapping, Portal, ValueMapping

ORIGINS = tuple(FieldMapping.Origin.values)

UNCALLED_KEYS = {"slug", "name", "kind"}
"""What a portal has that we never call; to pause it, its route is paused."""


class Form(BaseModel):
    """A block of keys. A key without a value is a key that is not there; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_bare_keys(cls, block: Any) -> Any:
        if not isinstance(block, dict):
            return block
        return {
            key: value for key, value in block.items() if value is not None or key not in cls.model_fields
        }

    def given(self, *keys: str) -> dict[str, Any]:
        """What the file says about `keys`; those it does not mention are left out."""
        return {key: getattr(self, key) for key in keys if key in self.model_fields_set}


def _secret(value: str, info: ValidationInfo) -> str:
    return from_environment(value, (info.context or {}).get("environ", {}))


Kind = Annotated[str, one_of(CONNECTORS)]
Secret = Annotated[str, AfterValidator(_secret), Field(repr=False)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
Value = Annotated[str, text_of(ValueMapping, "value", min_length=1)]
FieldName = Annotated[str, text_of(FieldMapping, "to", min_length=1, strip_whitespace=True)]


class PortalSection(Form):
    """One portal; keys are the columns of `Portal`."""

    slug: Annotated[str, text_of(Portal, "slug")]
    name: Annotated[str, text_of(Portal, "name", min_length=1)] = ""
    kind: Kind = "bitrix24"
    webhook_url: Secret = ""
    inbound_token: Secret = ""
    requests_per_minute: Annotated[int, number_of(Portal, "requests_per_minute")] = 20
    burst: Annotated[int, number_of(Portal, "burst")] = 1
    bucket_size: Annotated[int, number_of(Portal, "bucket_size")] = 50
    bucket_leak: Annotated[float, number_of(Portal, "bucket_leak", allow_inf_nan=False)] = 2.0
    slots: Annotated[int, number_of(Portal, "slots")] = 2
    request_seconds: Annotated[float, number_of(Portal, "request_seconds", allow_inf_nan=False)] = 60
    is_paused: bool = False

    @field_validator("webhook_url")
    @classmethod
    def _address(cls, url: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind", "")
        return address_of(kind, url) if kind in CONNECTORS else url

    @model_validator(mode="after")
    def _nothing_unused(self) -> PortalSection:
        unused = sorted(self.model_fields_set - UNCALLED_KEYS)
        if unused and not is_called(self.kind):
            raise ValueError(
                _("a portal of kind %(kind)s is never called and gets no webhooks; leave out: %(keys)s")
                % {"kind": self.kind, "keys": ", ".join(unused)}
            )
        return self

    def columns(self) -> dict[str, Any]:
        """The columns of `Portal` that the file sets."""
        return self.given(*(key for key in type(self).model_fields if key != "slug"))


class MappingSection(Form):
    """One row of a mapping; exactly one of `field`, `param`, `value`, `template`."""

    to: FieldName
    field: Name | None = None
    param: Name | None = None
    value: Text | None = None
    template: Annotated[Text, AfterValidator(checked_text)] | None = None
    default: str = ""
    fallback: FieldName | Literal[""] = ""
    when: Annotated[str, one_of(FieldMapping.When.values)] = "always"
    values: Annotated[dict[Value, Value], AfterValidator(checked_values)] = Field(default_factory=dict)
    otherwise: Annotated[str, one_of(FieldMapping.Otherwise.values)] = "fail"

    @model_validator(mode="after")
    def _one_origin(self) -> MappingSection:
        found = [key for key in ORIGINS if getattr(self, key) is not None]
        if len(found) != 1:
            raise ValueError(
                _("give exactly one of %(keys)s; found: %(found)s")
                % {"keys": ", ".join(ORIGINS), "found": ", ".join(found) or _("none")}
            )
        return self

    def columns(self) -> dict[str, str]:
        """The columns of `FieldMapping`, without its route, direction and position."""
        origin = next(key for key in ORIGINS if getattr(self, key) is not None)
        plain = {key: getattr(self, key) for key in ("to", "default", "fallback", "when", "otherwise")}
        return plain | {"origin": origin, "source": getattr(self, origin)}
