"""GKSM: texts, judged by the extent of their pixels."""

import pytest

from tests.testing.gksm_drawings import drawn, extent, near, text


@pytest.mark.parametrize(
    ("horizontal", "vertical", "left", "low"),
    [(0, 0, 0, 0), (1, 4, 0, 0), (2, 4, -0.5, 0), (3, 4, -1, 0), (1, 2, 0, -1), (1, 3, 0, -0.5)],
)
def test_a_text_is_aligned(horizontal: int, vertical: int, left: float, low: float) -> None:
    """By its ends or center, and by baseline, half or cap line; a capital is as high as the up vector is long."""
    image = drawn((34, 0.0, 0.1, 0.1, 0.0), (36, horizontal, vertical), text(0.5, 0.5, "HIH"))

    x0, x1, y0, y1 = extent(image)
    assert y1 - y0 == pytest.approx(0.1, abs=0.004)
    assert y0 == pytest.approx(0.5 + low * 0.1, abs=0.004)
    assert x0 == pytest.approx(0.5 + left * (x1 - x0), abs=0.02)


def test_a_text_follows_its_vectors() -> None:
    """Here it is rotated by a quarter turn, with letters of double width."""
    plain = extent(drawn((34, 0.0, 0.1, 0.1, 0.0), text(0.5, 0.2, "HIH")))
    turned = extent(drawn((34, -0.1, 0.0, 0.0, 0.2), text(0.5, 0.2, "HIH")))

    assert turned[1] - turned[0] == pytest.approx(plain[3] - plain[2], abs=0.004)
    assert turned[3] - turned[2] == pytest.approx(2 * (plain[1] - plain[0]), abs=0.008)
    assert turned[1] == pytest.approx(0.5, abs=0.004)


def test_expansion_and_spacing_make_a_text_longer() -> None:
    """Expansion widens the letters, spacing the gaps between them: here two gaps of three heights each."""
    vectors = (34, 0.0, 0.05, 0.05, 0.0)
    plain = extent(drawn(vectors, text(0.1, 0.5, "HHH")))
    wide = extent(drawn(vectors, (31, 2.0), text(0.1, 0.5, "HHH")))
    spaced = extent(drawn(vectors, (32, 3.0), text(0.1, 0.5, "HHH")))

    both = extent(drawn(vectors, (31, 2.0), (32, 3.0), (36, 2, 0), text(0.5, 0.5, "HHH")))

    assert wide[1] - wide[0] == pytest.approx(2 * (plain[1] - plain[0]), abs=0.01)
    assert both[1] - both[0] == pytest.approx(wide[1] - wide[0] + 2 * 3 * 0.05, abs=0.01)
    assert (both[0] + both[1]) / 2 == pytest.approx(0.5, abs=0.004), "it is centered"
    assert spaced[1] - spaced[0] == pytest.approx(plain[1] - plain[0] + 2 * 3 * 0.05, abs=0.01)


@pytest.mark.parametrize(
    ("path", "vertical", "low", "high"), [(3, 0, 0.26, 0.5), (2, 0, 0.5, 0.74), (3, 4, 0.5, 0.74), (2, 3, 0.38, 0.62)]
)
def test_a_text_can_be_a_column(path: int, vertical: int, low: float, high: float) -> None:
    """Its position is the top of a downward column and the bottom of an upward one."""
    image = drawn((34, 0.0, 0.1, 0.1, 0.0), (35, path), (36, 0, vertical), text(0.5, 0.5, "HI"))

    left, right, y0, y1 = extent(image)
    assert (y0, y1) == near(low, high)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)
    upper = image.crop((0, 0, 1024, int((1 - (low + high) / 2) * 1024)))
    box = upper.convert("L").point(lambda level: 255 * (level < 128)).getbbox() or (0, 0, 0, 0)
    assert (box[2] - box[0] > 50) == (path == 3), "the letter on top: H is wide, I is not"


def test_a_text_can_run_to_the_left() -> None:
    """Its letters are in reverse order, left of its position."""
    left = drawn((34, 0.0, 0.1, 0.1, 0.0), (35, 1), text(0.5, 0.5, "IHH"))
    right = drawn((34, 0.0, 0.1, 0.1, 0.0), (36, 3, 0), text(0.5, 0.5, "HHI"))

    assert left.tobytes() == right.tobytes()
