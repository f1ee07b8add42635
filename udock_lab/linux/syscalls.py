"""Names that notebooks and exercises which were handed out import from here; the room's own files are by concept."""

from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.prctl import prctl

__all__ = ["drop_capabilities", "prctl"]
