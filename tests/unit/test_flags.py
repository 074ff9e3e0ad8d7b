"""Test the flags, generated or read from a folder."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from statistics import median

import pytest
from PIL import Image

from bench.errors import SetupError, UsageError
from bench.model.countries import COUNTRIES
from bench.model.flag_pictures import Picture, encode_gif
from bench.model.flags import all_flags, describe_ignored_files, load_flags, make_flag, served_flags

RED, WHITE, BLUE = (255, 0, 0), (255, 255, 255), (0, 0, 255)


def test_every_country_has_a_different_flag() -> None:
    flags = all_flags()
    assert list(flags) == list(COUNTRIES)
    assert len(set(flags.values())) == len(COUNTRIES) == 194


def test_sizes_resemble_the_flags_of_the_chapter() -> None:
    """The size of a download is part of what is timed: 1.2 to 36 KB, median 9.9 KB."""
    sizes = sorted(len(flag) for flag in all_flags().values())
    assert 1_200 <= sizes[0] <= 2_000
    assert 30_000 <= sizes[-1] <= 36_000
    assert median(sizes) == pytest.approx(9_900, rel=0.03)


def test_flags_are_the_same_on_every_machine() -> None:
    digest = sha256(b"".join(all_flags().values())).hexdigest()
    assert digest == "ffac8bbe1ac728b1a3dcaf59388734dad22fcb690aa6b9b66a950d66bfabcba5"


def test_every_flag_is_a_gif89a_of_three_colours() -> None:
    for code, flag in all_flags().items():
        with Image.open(BytesIO(flag)) as image:
            assert (image.format, image.info["version"]) == ("GIF", b"GIF89a"), code
            colours = image.convert("RGB").getcolors()
        assert colours is not None, code
        assert len(colours) == 3, code


@pytest.mark.parametrize("pixels", [1, 2, 119, 120, 121, 127, 255, 1_000])
def test_picture_of_any_size_decodes_to_its_pixels(pixels: int) -> None:
    """Clear codes and sub-blocks may begin anywhere in a picture."""
    drawn = bytes(index % 3 for index in range(pixels))
    with Image.open(BytesIO(encode_gif(Picture(pixels, 1, [RED, WHITE, BLUE], drawn)))) as image:
        decoded = image.convert("RGB").tobytes()
    assert decoded == b"".join(bytes((RED, WHITE, BLUE)[index]) for index in drawn)


def test_folder_may_be_flat_or_have_a_folder_for_each_country(tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    for name in ("br.gif", "fr/fr.gif", "fr/it.gif", "brazil.gif", "b1.gif", "de.txt"):
        (tmp_path / name).write_bytes(name.encode())
    assert dict(load_flags(tmp_path)) == {"BR": b"br.gif", "FR": b"fr/fr.gif"}


@pytest.mark.parametrize("name", ["pk.GIF", "PK.Gif", "pk/pk.GIF", "PK/pk.gif", "pk/PK.gif"])
def test_flag_may_be_named_in_any_case(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"GIF89a")
    assert dict(load_flags(tmp_path)) == {"PK": b"GIF89a"}
    assert describe_ignored_files(tmp_path) is None


@pytest.mark.parametrize("name", ["br.gif", "br/br.gif", "BR.GIF"])
def test_empty_flag_is_refused_by_its_path(tmp_path: Path, name: str) -> None:
    """The client cannot tell it from a response that lost its body."""
    (tmp_path / "us.gif").write_bytes(b"GIF89a")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    with pytest.raises(SetupError) as caught:
        load_flags(tmp_path)
    assert caught.value.what == f"{tmp_path / name}: the flag is empty"


def test_files_that_look_like_flags_but_are_not_served_are_named(tmp_path: Path) -> None:
    for folder in ("fr", "es", "sub"):
        (tmp_path / folder).mkdir()
    served = ("br.gif", "fr/fr.gif")
    unlike = ("README.txt", "fr/metadata.json", ".hidden.gif", "fr/._fr.gif")
    ignored = ("brazil.gif", "de.png", "es/it.gif", "sub/us.gif", "uk.jpeg")
    for name in (*served, *unlike, *ignored):
        (tmp_path / name).write_bytes(b"GIF89a")
    assert describe_ignored_files(tmp_path) == (
        f"{tmp_path}: 5 files are not served: {', '.join(ignored)}; a flag is named like br.gif or br/br.gif."
    )


@pytest.mark.parametrize(
    "names",
    [("BR.gif", "br.gif"), ("br/br.gif", "br.gif"), ("BR/BR.gif", "br/br.gif"), ("br.GIF", "br.gif")],
)
def test_two_flags_of_one_country_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    """Otherwise the order of the folder would decide which one is served."""
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"GIF89a")
    with pytest.raises(UsageError) as caught:
        load_flags(tmp_path)
    first, second = (str(tmp_path / name) for name in names)
    assert caught.value.what == f"{first} and {second} are both the flag of BR"


def test_unreadable_flag_is_named(tmp_path: Path) -> None:
    (tmp_path / "us.gif").mkdir()
    with pytest.raises(SetupError, match=f"{tmp_path / 'us.gif'}: the flag cannot be read"):
        load_flags(tmp_path)


@pytest.mark.parametrize("folder", ["", "missing"])
def test_folder_without_flags_is_refused_with_a_hint(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SetupError, match=r"no flag found; .* br\.gif or br/br\.gif"):
        load_flags(tmp_path / folder)


def test_own_flags_are_served_unless_a_folder_is_given(tmp_path: Path) -> None:
    (tmp_path / "br.gif").write_bytes(b"theirs")
    assert served_flags(tmp_path) == {"BR": b"theirs"}
    assert served_flags(None)["BR"] == make_flag("BR")
