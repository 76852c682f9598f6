"""The versions of what a plan rests on."""

from __future__ import annotations

import importlib.metadata


def installed(name: str) -> str:
    """Return the version of a package."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that is not installed
        return "not installed"
