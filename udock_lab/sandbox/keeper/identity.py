"""Who the learner's code runs as: the best that this machine permits, tried before the runner asks."""

from __future__ import annotations

from udock_lab.model.value import Value
from udock_lab.sandbox.policy import unprivileged_uid, user_namespaces_work, walls_refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.messages import Request

__all__ = ["Identity", "choose_identity"]


class Identity(Value):
    """In which namespaces, and as which user, the code runs."""

    shut: bool = False  # namespaces of its own
    userns: bool = False  # a user namespace at least
    uid: int = 0  # without namespaces: an unprivileged uid, where we are root; 0: as whom it was started
    refusal: str = ""  # why there are no namespaces where they were wanted

    @property
    def words(self) -> str:
        """As the result says it."""
        return "user namespace" if self.userns else f"user {self.uid}" if self.uid else "plain"


def choose_identity(request: Request) -> Identity:
    """Choose namespaces where they are wanted and work, else an unprivileged uid, else a user namespace if that works.

    For single-threaded callers: it tries in children.
    """
    if not request.shut:
        return Identity(userns=user_namespaces_work())
    refusal = walls_refused(request.package)
    if not refusal:
        return Identity(shut=True, userns=True)
    uid = unprivileged_uid()
    return Identity(uid=uid, userns=not uid and user_namespaces_work(), refusal=refusal)
