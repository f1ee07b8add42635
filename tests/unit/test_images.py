"""The table of images: names, lines, look-up."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opening import opened
from trees import small_tree

from udock_lab.errors import NotFound, UsageError
from udock_lab.model import Image
from udock_lab.runtime.image.build import build_image, remove_image
from udock_lab.runtime.state import images
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.images import (
    check_image_name,
    find_image_by_name,
    format_image_line,
    list_images,
    parse_image_line,
)
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.removal import remove_tree

STAMP = "2025-11-24T02:30:00"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "source")


# -- names and lines


@pytest.mark.parametrize("name", ["a", "demo", "Demo-2_x", "a" * 64, "c", "c7x", "cc7"])
def test_a_good_name_is_taken(name: str) -> None:
    assert check_image_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "7a", "_a", "-a", "a" * 65, "a|b", "a\nb", "a\n", "..", "a/../b", "a\0b", "é", "dé", "a٣", "a.b", "a b", "c7"],
)
def test_a_bad_name_is_refused_with_the_rule_and_an_example(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_image_name(name)
    assert "64 characters" in caught.value.hint
    assert "demo" in caught.value.hint


_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,63}", fullmatch=True)
_PATHS = st.text(st.characters(blacklist_characters="|\n\0", codec="utf-8"), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(_NAMES, _PATHS)
def test_a_line_reads_back_as_it_was_written(name: str, rootfs: str) -> None:
    image = Image(name=name, rootfs=rootfs, created=STAMP)
    line = format_image_line(image)
    assert line.count(b"\n") == 1
    assert parse_image_line(line) == image


@given(st.binary())
def test_no_bytes_make_the_parser_fail(line: bytes) -> None:
    image = parse_image_line(line)
    assert image is None or parse_image_line(format_image_line(image)) == image


@given(st.text())
def test_no_text_makes_the_name_check_fail_otherwise(name: str) -> None:
    try:
        assert check_image_name(name).isascii()
    except UsageError as error:
        assert error.hint


@pytest.mark.parametrize("line", [b"demo", b"demo|/x", b"demo|/x|2025-11-", b"a|b|c|d", b"|/x|" + STAMP.encode(), b""])
def test_a_torn_line_is_no_record(line: bytes) -> None:
    assert parse_image_line(line) is None


def test_blanks_around_fields_are_no_part_of_them() -> None:
    image = parse_image_line(b" demo | /r/x | 2025-11-24 02:30:00 \r\n")
    assert image == Image(name="demo", rootfs="/r/x", created="2025-11-24 02:30:00")


# -- looking up


def test_a_missing_database_names_mdock_demo(home: Home) -> None:
    with pytest.raises(NotFound, match="No images yet") as caught:
        find_image_by_name(home.images_db, "demo")
    assert "mdock demo" in caught.value.hint


def test_a_missing_image_is_named_with_the_nearest_one(home: Home, tree: Path) -> None:
    build_image(home, "ubuntu", tree)
    with pytest.raises(NotFound) as caught:
        find_image_by_name(home.images_db, "ubunt")
    assert caught.value.message == "Image 'ubunt' not found"
    assert "'ubuntu'" in caught.value.hint
    assert "mdock images" in caught.value.hint
    with pytest.raises(NotFound, match="Image 'nosuchimage' not found"):
        find_image_by_name(home.images_db, "nosuchimage")
    with pytest.raises(NotFound) as caught:
        find_image_by_name(home.images_db, "demo")
    assert "mdock demo" in caught.value.hint


def test_names_are_case_sensitive_and_the_first_line_counts(home: Home, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    Path(home.images_db).write_bytes(
        f"Demo|/nowhere|{STAMP}\nxdemo|/nowhere|{STAMP}\ndemo|broken\n"
        f"demo|{tmp_path}/one|{STAMP}\ndemo|{tmp_path}/two|{STAMP}\n".encode()
    )
    assert find_image_by_name(home.images_db, "demo").rootfs == f"{tmp_path}/one"
    with pytest.raises(NotFound):
        find_image_by_name(home.images_db, "DEMO")


def test_corrupt_lines_are_passed_over_and_told_apart(home: Home, tree: Path) -> None:
    Path(home.images_db).write_bytes(b"demo|half\n\xff\xfe|x\n\n")
    build_image(home, "demo", tree)
    found, corrupt = list_images(home.images_db)
    assert [image.name for image in found] == ["demo"]
    assert corrupt == [b"demo|half", b"\xff\xfe|x"]
    build_image(home, "demo", tree, force=True)
    with locked(home):
        remove_image(home, "demo")
    assert Path(home.images_db).read_bytes() == b"demo|half\n\xff\xfe|x\n\n"


def test_a_vanished_rootfs_says_so_and_how_to_rebuild(home: Home, tree: Path) -> None:
    build_image(home, "mine", tree)
    shutil.rmtree(home.image_rootfs("mine"))
    with pytest.raises(NotFound, match="is gone") as caught:
        find_image_by_name(home.images_db, "mine")
    assert "--force mine" in caught.value.hint


def table_of(home: Home, folder: Path, name: str = "demo") -> None:
    """Write the table in place, as another program may."""
    Path(home.images_db).write_text(f"{name}|{folder}|2026-01-02T03:04:05\n")


def test_a_known_table_is_not_read_again_until_it_changes(home: Home, tmp_path: Path) -> None:
    home.create()
    known = images.KnownImages(home.images_db)
    table_of(home, tmp_path)
    an_hour_ago = time.time() - 3600
    os.utime(home.images_db, (an_hour_ago, an_hour_ago))
    known.find("demo")
    with opened() as paths:
        assert known.find("demo").rootfs == str(tmp_path)
    assert paths == []
    Path(home.images_db).write_bytes(b"no record\n" + Path(home.images_db).read_bytes())
    assert known.find("demo") and known.corrupt == [b"no record"]


def test_a_table_rewritten_in_place_with_the_same_length_is_never_taken_for_the_old_one(
    home: Home, tmp_path: Path
) -> None:
    """Within one tick of the kernel's clock the two have the same times."""
    home.create()
    known = images.KnownImages(home.images_db)
    for number in range(100, 150):
        (tmp_path / str(number)).mkdir()
        table_of(home, tmp_path / str(number))
        assert known.find("demo").rootfs == known.find("demo").rootfs == str(tmp_path / str(number))


def test_a_table_whose_time_lies_ahead_of_the_clock_is_read_each_time(home: Home, tmp_path: Path) -> None:
    home.create()
    known = images.KnownImages(home.images_db)
    table_of(home, tmp_path)
    tomorrow = time.time() + 86400
    os.utime(home.images_db, (tomorrow, tomorrow))
    known.find("demo")
    with opened() as paths:
        known.find("demo")
    assert paths == [home.images_db]


def test_known_images_have_the_same_errors(home: Home, tree: Path) -> None:
    known = images.KnownImages(home.images_db)
    with pytest.raises(NotFound, match="No images yet"):
        known.find("demo")
    build_image(home, "demo", tree)
    assert known.find("demo").name == "demo"
    with pytest.raises(NotFound, match="'dem' not found"):
        known.find("dem")
    remove_tree(home.image_rootfs("demo"))
    with pytest.raises(NotFound, match="is gone"):
        known.find("demo")
    remove_image(home, "demo")
    with pytest.raises(NotFound, match="'demo' not found"):
        known.find("demo")


def test_the_last_of_ten_thousand_images_is_found(home: Home, tmp_path: Path) -> None:
    lines = "".join(f"image{n}|{tmp_path}|{STAMP}\n" for n in range(10_000))
    Path(home.images_db).write_text(lines)
    assert find_image_by_name(home.images_db, "image9999").rootfs == str(tmp_path)
