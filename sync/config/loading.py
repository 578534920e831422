"""From the file's text to a configuration that can be applied."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from sync.config import faults
from sync.config.directories import DirectoryForm
from sync.config.document import read
from sync.config.forms import PortalForm
from sync.config.routes import FileForm, RouteForm
from sync.errors import ConfigRefused


@dataclass(frozen=True)
class Config:
    """A file without mistakes."""

    name: str
    portals: tuple[PortalForm, ...]
    routes: tuple[RouteForm, ...]
    directories: tuple[DirectoryForm, ...] = ()


def load(text: str, name: str, *, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `text`, the content of the file `name`; `${X}` is looked up in `environ`.

    Raises ConfigRefused with every mistake: file, line, path, reason. Reads the database, changes nothing.
    """
    document = read(text, name)
    found = list(faults.of_whole(document))
    form = FileForm()
    try:
        form = FileForm.model_validate(document.data, context={"environ": environ})
    except ValidationError as error:
        found += faults.of_forms(error)
    if found:
        raise ConfigRefused(document.problems(found))
    return Config(name, tuple(form.portals), tuple(form.routes), tuple(form.directories))
