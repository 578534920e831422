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

from sync.config.secrets import ADDRESS_OF_KIND, from_environment
from sync.mapping.transform import has_lone_brace
from sync.models import Portal

ORIGINS = ("field", "param", "value", "template")

CORE_KEYS = {"slug", "name", "kind"}
"""What a portal of kind core has: its messages come over RABBITMQ_URL. To pause it, its route is paused."""


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


def _template(template: str) -> str:
    if has_lone_brace(template):
        raise ValueError(_("a brace stands alone; write {{ or }} for a brace in the text"))
    return template


def _value_list(values: dict[str, str]) -> dict[str, str]:
    """Values are compared without case and outer blanks, so two spellings of one would contradict."""
    spelled: dict[str, str] = {}
    for value in values:
        duplicate = spelled.setdefault(value.strip().casefold(), value)
        if duplicate != value:
            raise ValueError(
                _("“%(one)s” and “%(other)s” are one value") % {"one": duplicate, "other": value}
            )
    return values


def slug_of(longest: int) -> StringConstraints:
    """What a slug may look like."""
    return StringConstraints(pattern=r"^[-a-zA-Z0-9_]+$", max_length=longest)


Secret = Annotated[str, AfterValidator(_secret), Field(repr=False)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FieldName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PortalSection(Form):
    """One portal; keys are the columns of `Portal`."""

    slug: Annotated[str, slug_of(40)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = ""
    kind: Portal.Kind = Portal.Kind.BITRIX24
    webhook_url: Secret = ""
    inbound_token: Secret = ""
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 20
    burst: Annotated[int, Field(ge=1, le=100_000)] = 1
    bucket_size: Annotated[int, Field(ge=1, le=100_000)] = 50
    bucket_leak: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
    slots: Annotated[int, Field(ge=1, le=10)] = 2
    request_seconds: Annotated[float, Field(ge=0.5, allow_inf_nan=False)] = 60
    is_paused: bool = False

    @field_validator("webhook_url")
    @classmethod
    def _address(cls, url: str, info: ValidationInfo) -> str:
        check = ADDRESS_OF_KIND.get(info.data.get("kind", ""))
        return check(url) if check else url

    @model_validator(mode="after")
    def _core_is_not_called(self) -> PortalSection:
        unused = sorted(self.model_fields_set - CORE_KEYS)
        if self.kind == Portal.Kind.CORE and unused:
            raise ValueError(
                _("a portal of kind core is never called and gets no webhooks; leave out: %(keys)s")
                % {"keys": ", ".join(unused)}
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
    value: Annotated[str, StringConstraints(min_length=1)] | None = None
    template: Annotated[str, StringConstraints(min_length=1), AfterValidator(_template)] | None = None
    default: str = ""
    fallback: FieldName | Literal[""] = ""
    when: Literal["always", "create", "update"] = "always"
    values: Annotated[dict[Value, Value], AfterValidator(_value_list)] = Field(default_factory=dict)
    otherwise: Literal["skip", "keep", "fail"] = "fail"

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
