"""What handed-out notebooks import from here; images lie in state/ (their table) and image/ (how they are made)."""

from __future__ import annotations

from udock_lab.runtime.state.images import find_image_by_name

__all__ = ["find_image_by_name"]
