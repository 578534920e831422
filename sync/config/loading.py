"""From the file's text to a configuration that can be applied."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from sync.config import faults
from sync.config.directories import DirectorySection
from sync.config.document import read
from sync.config.forms import PortalSection
from sync.config.routes import FileSection, RouteSection
from sync.errors import ConfigRefused


@dataclass(frozen=True)
class Config:
    """A file without mistakes."""

    name: str
    portals: tuple[PortalSection, ...]
    routes: tuple[RouteSection, ...]
    directories: tuple[DirectorySection, ...] = ()


def load(text: str, name: str, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `text`, the content of the file `name`; `${X}` is looked up in `environ`.

    Raises ConfigRefused with every mistake: file, line, path, reason. Reads the database, changes nothing.
    """
    document = read(text, name)
    found = list(faults.of_whole(document))
    section = FileSection()
    try:
        section = FileSection.model_validate(document.data, context={"environ": environ})
    except ValidationError as error:
        found += faults.of_forms(error)
    if found:
        raise ConfigRefused(document.problems(found))
    return Config(name, tuple(section.portals), tuple(section.routes), tuple(section.directories))
