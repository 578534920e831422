"""What a record becomes on the other side: mapping rules applied to one record. Pure.

The promises:

- an empty value never overwrites: the field is left out, unless the rule brings a default;
- of several rules for one field the later wins, but only when it brings a value;
- a template fills names and does nothing else: it reaches no attributes, and braces in a value stay text;
- the only error is NeedsStaff, for a value that a value list does not know.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sync.errors import NeedsStaff
from sync.i18n import gettext as _
from sync.i18n import gettext_noop

Origin = Literal["field", "param", "value", "template"]
When = Literal["always", "create", "update"]
Otherwise = Literal["skip", "keep", "fail"]
Writing = Literal["create", "update"]

SHOWN = 100
"""Characters of a value that staff see in a message."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_WORDS_OF = {True: ("true", "Y", "1"), False: ("false", "N", "0")}
_NAME_OF: dict[Origin, str] = {
    "field": gettext_noop('field "%(name)s"'),
    "param": gettext_noop('webhook parameter "%(name)s"'),
    "value": gettext_noop('fixed value "%(name)s"'),
    "template": gettext_noop('text "%(name)s"'),
}


@dataclass(frozen=True)
class Rule:
    """One mapping row as values: where the field `to` gets its value from.

    `source` is a field name, parameter name, fixed value or template, by `origin`. When that is empty, the
    record's field `fallback` is taken; when that is empty too, `default`, which is sent as it stands.
    `values` is the value list (here → there); `otherwise` says what becomes of a value it does not know.
    """

    to: str
    origin: Origin
    source: str
    default: str = ""
    fallback: str = ""
    when: When = "always"
    otherwise: Otherwise = "fail"
    values: Mapping[str, str] = field(default_factory=dict)


class _Unknown:
    """A value that the value list does not know and that must not travel."""


_UNKNOWN = _Unknown()


def transform(
    rules: Iterable[Rule],
    record: Mapping[str, Any],
    params: Mapping[str, Any],
    *,
    writing: Writing,
    where: str,
) -> dict[str, Any]:
    """The fields to write, made from `record` and the webhook's `params` by `rules`, in their order.

    `where` names route and portals for messages. Lists are mapped element by element; files (dicts) pass
    untouched. Raises NeedsStaff for a value that a value list with `otherwise="fail"` does not know.
    """
    written: dict[str, Any] = {}
    for rule in rules:
        if rule.when not in ("always", writing):
            continue
        value = _value_of(rule, record, params, where)
        if not is_empty(value):
            written[rule.to] = value
    return written


def fields_used(rules: Iterable[Rule]) -> set[str]:
    """Names of the record's fields that the rules may read; a template's names may be parameters as well."""
    used: set[str] = set()
    for rule in rules:
        used |= {rule.fallback} - {""}
        if rule.origin == "field":
            used.add(rule.source)
        elif rule.origin == "template":
            used |= names_in(rule.source)
    return used


def is_empty(value: Any) -> bool:
    """Nothing to send: None, blank text, no elements, and False, by which Bitrix24 says "not set"."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list | tuple):
        return all(is_empty(element) for element in value)
    return value is None or value is False or value == {}


def render(template: str, value_of: Callable[[str], Any]) -> str:
    """The template with each {name} filled by `value_of(name)`; doubled braces stand for themselves.

    One pass and no str.format: a value that looks like a name stays text, and `{a.b}` or `{a[0]}` is only
    a name that nobody has.
    """

    def fill(piece: re.Match[str]) -> str:
        name = piece.group(1)
        return piece.group(0)[0] if name is None else _text(value_of(name.strip()))

    return _PIECE.sub(fill, template)


def names_in(template: str) -> set[str]:
    """The names a template asks for."""
    return {name.strip() for name in _PIECE.findall(template) if name.strip()}


def has_lone_brace(template: str) -> bool:
    """Whether a brace is neither part of a {name} nor doubled: most likely a slip of the hand."""
    return not {"{", "}"}.isdisjoint(_PIECE.sub("", template))


def _value_of(rule: Rule, record: Mapping[str, Any], params: Mapping[str, Any], where: str) -> Any:
    value = _raw(rule, record, params)
    if _is_absent(rule, value) and rule.fallback:
        value = record.get(rule.fallback)
    if _is_absent(rule, value):
        return rule.default
    if isinstance(value, list | tuple):
        elements = [_mapped(rule, element, where) for element in value if not _is_absent(rule, element)]
        return [element for element in elements if element is not _UNKNOWN]
    mapped = _mapped(rule, value, where)
    return None if mapped is _UNKNOWN else mapped


def _is_absent(rule: Rule, value: Any) -> bool:
    """Empty, except a False that staff put into the value list: there it means something."""
    return is_empty(value) and not (value is False and _find(rule.values, value) is not None)


def _raw(rule: Rule, record: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    if rule.origin == "field":
        return record.get(rule.source)
    if rule.origin == "param":
        return params.get(rule.source)
    if rule.origin == "value":
        return rule.source
    return _filled(rule.source, record, params)


def _filled(template: str, record: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """The template filled; nothing when all it names is empty, so that bare words never overwrite a title."""

    def value_of(name: str) -> Any:
        found = record.get(name)
        return params.get(name) if is_empty(found) else found

    names = names_in(template)
    if names and all(not _text(value_of(name)).strip() for name in names):
        return ""
    return render(template, value_of)


def _mapped(rule: Rule, value: Any, where: str) -> Any:
    if not rule.values or isinstance(value, dict):
        return value
    found = _find(rule.values, value)
    if found is not None:
        return found
    if rule.otherwise == "keep":
        return value
    if rule.otherwise == "skip":
        return _UNKNOWN
    raise NeedsStaff(
        _(
            '%(where)s: the value "%(value)s" of %(origin)s is not in the value list of "%(field)s". '
            "Add it there, or choose what becomes of unknown values, then press Retry."
        )
        % {
            "where": where,
            "value": _text(value)[:SHOWN],
            "origin": _(_NAME_OF[rule.origin]) % {"name": rule.source},
            "field": rule.to,
        }
    )


def _find(values: Mapping[str, str], value: Any) -> str | None:
    """What the value list makes of the value: as written, else without outer blanks and case."""
    spellings = _WORDS_OF[value] if isinstance(value, bool) else (_text(value),)
    for spelling in spellings:
        if spelling in values:
            return values[spelling]
    folded = {value_key(spelling) for spelling in spellings}
    return next((becomes for known, becomes in values.items() if value_key(known) in folded), None)


def value_key(value: str) -> str:
    """Equal for what is one value: without case and outer blanks."""
    return value.strip().casefold()


def _text(value: Any) -> str:
    """A value as text: 5.0 is 5, lists are joined by commas; files and what is not set are nothing."""
    if isinstance(value, bool):
        return _WORDS_OF[value][0] if value else ""
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_text, value)))
    return str(value)
