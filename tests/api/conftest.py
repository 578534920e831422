"""The installation under test."""

from tests.databases import mysql_site, mysql_template, site, sqlite_site, sqlite_template  # noqa: F401
