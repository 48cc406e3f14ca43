"""Cleaning: from published metadata, or image folders, to audited photographs."""
