"""The configuration file, portals and routes as YAML: `load` reads it, `apply` applies, `export` writes."""

from sync.config.applying import apply
from sync.config.export import export
from sync.config.loading import Config, load
from sync.config.report import Change, FieldChange, Report

__all__ = ["Change", "Config", "FieldChange", "Report", "apply", "export", "load"]
