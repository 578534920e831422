"""A YAML text as plain data that still knows its lines, so that every mistake can be pointed at."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from sync.errors import ConfigRefused

Path = tuple[str | int, ...]
"""Where in the file: ("routes", 0, "mappings", 3, "to")."""

Fault = tuple[Path, str]
"""One mistake: where, and why it is one."""

_PLAIN = "tag:yaml.org,2002:"
_NULL = _PLAIN + "null"


@dataclass(frozen=True)
class Document:
    """`data`: mappings, lists, text and None; `lines`: where each key and list element begins, from 1."""

    name: str
    data: Any
    lines: Mapping[Path, int]

    def problems(self, faults: Iterable[Fault]) -> list[str]:
        """Each mistake as a sentence, file, line, path, reason, in the order of the lines."""
        ordered = sorted(dict.fromkeys(faults), key=lambda fault: self._line(fault[0]))
        return [self._sentence(path, reason) for path, reason in ordered]

    def _sentence(self, path: Path, reason: str) -> str:
        words = {"file": self.name, "line": self._line(path), "path": written(path), "reason": reason}
        if not path:
            return _("%(file)s, line %(line)s: %(reason)s") % words
        return _("%(file)s, line %(line)s: %(path)s: %(reason)s") % words

    def _line(self, path: Path) -> int:
        """The line of the path, or of the nearest block around it that was written."""
        return next(self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines)


def written(path: Path) -> str:
    """The path as people write it: routes[0].mappings[3].to."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def read(text: str, name: str) -> Document:
    """The text of the file `name` as a document; raises ConfigRefused with all that is wrong with its YAML.

    Every scalar stays the text that was written (a stage "0042" or "yes" is no number and no truth value);
    the forms turn it into what each key needs. Tags, aliases and equal keys are refused.
    """
    node = _composed(text, name)
    lines: dict[Path, int] = {}
    faults: list[Fault] = []
    data = _Walk(lines, faults).plain(node, ())
    document = Document(name, data, lines)
    if faults:
        raise ConfigRefused(document.problems(faults))
    return document


def _composed(text: str, name: str) -> yaml.Node:
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            # An alias in an alias in an alias makes a small file a huge one.
            if isinstance(event, yaml.AliasEvent):
                raise ConfigRefused([_at(name, event.start_mark, _("aliases (*name) are not used here"))])
        node: yaml.Node | None = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        reason = _("this is not YAML: %(problem)s") % {"problem": error.problem or error.context}
        raise ConfigRefused([_at(name, error.problem_mark, reason)]) from error
    except yaml.YAMLError as error:
        raise ConfigRefused(
            [f"{name}: " + _("this is not YAML: %(problem)s") % {"problem": error}]
        ) from error
    except RecursionError as error:
        raise ConfigRefused([f"{name}: " + _("the blocks are nested too deeply")]) from error
    if node is None:
        raise ConfigRefused([f"{name}: " + _("the file is empty")])
    return node


def _at(name: str, mark: Any, reason: str) -> str:
    line = mark.line + 1 if mark else 1
    return Document(name, None, {(): line}).problems([((), reason)])[0]


@dataclass(frozen=True)
class _Walk:
    """Turns nodes into data, noting lines and faults on the way."""

    lines: dict[Path, int]
    faults: list[Fault]

    def plain(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if not node.tag.startswith(_PLAIN):
            self.faults.append((path, _("tags (%(tag)s) are not used here") % {"tag": node.tag}))
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, number)) for number, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        return None if node.tag == _NULL else node.value

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append((path, _("a key must be text")))
                continue
            here = (*path, key.value)
            if key.value in seen:
                first = self.lines[here]
                self.lines[here] = key.start_mark.line + 1
                self.faults.append((here, _("this key is already there, in line %(line)s") % {"line": first}))
                continue
            seen.add(key.value)
            self.lines[here] = key.start_mark.line + 1
            yield key.value, self.plain(value, here)
