"""The data files of the package."""

from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets"
"""Folder of class names, printed tables, captions and templates."""
