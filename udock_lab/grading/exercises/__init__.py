"""The exercises, one file each; a check imports the one that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from udock_lab.grading.exercise import Exercise

__all__ = ["SLUGS", "load"]

SLUGS = (
    "m2_1_process_creation",
    "m2_2_chroot_permissions",
    "m2_3_container_ids",
    "m2_4_metadata",
    "m2_5_image_lookup",
    "m2_6_exec_failure",
    "m2_7_mdock_run",
)


def load(slug: str) -> Exercise:
    """Return the exercise of one of SLUGS; KeyError for any other word."""
    match slug:
        case "m2_1_process_creation":
            from udock_lab.grading.exercises.m2_1_process_creation import EXERCISE
        case "m2_2_chroot_permissions":
            from udock_lab.grading.exercises.m2_2_chroot_permissions import EXERCISE
        case "m2_3_container_ids":
            from udock_lab.grading.exercises.m2_3_container_ids import EXERCISE
        case "m2_4_metadata":
            from udock_lab.grading.exercises.m2_4_metadata import EXERCISE
        case "m2_5_image_lookup":
            from udock_lab.grading.exercises.m2_5_image_lookup import EXERCISE
        case "m2_6_exec_failure":
            from udock_lab.grading.exercises.m2_6_exec_failure import EXERCISE
        case "m2_7_mdock_run":
            from udock_lab.grading.exercises.m2_7_mdock_run import EXERCISE
        case _:
            raise KeyError(slug)
    return EXERCISE
