"""``build``, ``demo``, ``images``, ``rmi``, ``rootfs``: what containers are made from."""

from __future__ import annotations

import time
from collections.abc import Callable

from udock_lab.commands.base import Command, Context, Outcome
from udock_lab.commands.several import each
from udock_lab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

__all__ = ["COMMANDS"]


def _progress(context: Context) -> Callable[[int, int], None] | None:
    """Say how far a copy is, once a second, from the second second on, where somebody watches."""
    if not (context.stderr_is_terminal or context.in_cell):
        return None
    last = time.monotonic()

    def report(files: int, size: int) -> None:
        nonlocal last
        if time.monotonic() - last >= 1.0:
            last = time.monotonic()
            context.note(f"copied {files:,} files, {size / 1e6:,.1f} MB")

    return report


def _build_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="1-64 characters: a letter, then letters, digits, - and _"
    )
    parser.add_argument("directory", metavar="DIR", nargs="?", help="the root file system to copy")
    parser.add_argument("-t", "--tag", metavar="NAME", help="the name, as docker build has it: build -t NAME DIR")
    parser.add_argument("--force", action="store_true", help="replace an image of this name")


def _name_and_directory(args: Namespace) -> tuple[str, str]:
    """Return name and directory; ``build NAME DIR`` and ``build -t NAME DIR`` are the same."""
    given = [word for word in (args.tag, args.name, args.directory) if word is not None]
    if len(given) == 2:
        return given[0], given[1]
    wrong = (
        "there are three words where one name and one folder are meant"
        if len(given) > 2
        else "name or folder is missing"
    )
    raise UsageError(f"mdock build: {wrong}.", "Write: mdock build NAME DIR   or: mdock build -t NAME DIR")


def build(args: Namespace, context: Context) -> Outcome:
    """Copy a root file system into a new image."""
    name, directory = _name_and_directory(args)
    image = context.runtime.build(name, directory, force=args.force, progress=_progress(context), on_note=context.note)
    return Outcome(value=image)


def demo(args: Namespace, context: Context) -> Outcome:
    """Make the image ``demo`` unless it is there."""
    return Outcome(value=context.runtime.demo(progress=_progress(context), on_note=context.note))


def _images_options(parser: ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true", help="names only")
    parser.add_argument(
        "-f",
        "--filter",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only those with reference=PATTERN (a name, * and ? for any characters)",
    )
    parser.add_argument(
        "--format",
        metavar="TEMPLATE",
        help="a Go template as docker takes it, for instance '{{.Repository}}', or: json",
    )


def images(args: Namespace, context: Context) -> Outcome:
    """List the images."""
    from udock_lab.commands.results import Images, Lines

    found = context.runtime.images()
    if args.filter:
        from udock_lab.commands.filters import filtered_images

        found = filtered_images(found, args.filter)
    if args.quiet:
        return Outcome(value=Lines(image.name for image in found))
    if args.format and args.format != "table":
        from udock_lab.commands.formats import format_images

        return Outcome(value=format_images(found, args.format))
    return Outcome(value=Images(found))


def _rmi_options(parser: ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="+", help="images to remove")


def rmi(args: Namespace, context: Context) -> Outcome:
    """Remove images that no container record uses."""
    return each(args.names, lambda name: context.runtime.rmi(name), context)


def _rootfs_options(parser: ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "programs", metavar="PROGRAM", nargs="*", default=[], help="programs of this machine to take along"
    )


def rootfs(args: Namespace, context: Context) -> Outcome:
    """Make a root file system whose ``/bin/sh`` starts inside a chroot."""
    return Outcome(value=context.runtime.rootfs(args.directory, tuple(args.programs)))


COMMANDS = (
    Command(
        name="build",
        summary="make an image from a folder that holds a root file system",
        usage="[--force] NAME DIR | [--force] -t NAME DIR",
        handler=build,
        configure=_build_options,
        examples="  mdock rootfs ./mine && mdock build mine ./mine\n  mdock build --force mine ./mine",
    ),
    Command(
        name="demo",
        summary="make the image 'demo' (a small root file system); does nothing when it is there",
        usage="",
        handler=demo,
        examples="  mdock demo && mdock run demo -- /bin/echo hello",
    ),
    Command(
        name="images",
        summary="list the images",
        usage="[-q] [--filter reference=PATTERN] [--format TEMPLATE]",
        handler=images,
        configure=_images_options,
        examples="  mdock images\n  mdock images --format '{{.Repository}} {{.CreatedAt}}'",
    ),
    Command(
        name="rmi",
        summary="remove images that no container uses",
        usage="NAME...",
        handler=rmi,
        configure=_rmi_options,
        completes="image",
        examples="  mdock rmi demo",
    ),
    Command(
        name="rootfs",
        summary="make a root file system, from busybox or from this machine's own programs",
        usage="DIR [PROGRAM...]",
        handler=rootfs,
        configure=_rootfs_options,
        examples="  mdock rootfs ./mine ls cat ps && mdock build mine ./mine",
    ),
)
