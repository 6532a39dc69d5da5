from __future__ import annotations

from itertools import combinations

import pytest

from k8slab.lab.drawing.palette import BANDS, GLYPHS, KINDS, OTHER, THEMES, contrast, look, palette_json, theme

HUES = [(name, hue) for name in THEMES for hue in BANDS]

# What people without red, green or blue receptors see, in linear light (Machado, Oliveira and Fernandes 2009).
BLINDNESS = {
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def seen(colour: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """The colour as CIE L*a*b*, through these eyes."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    r, g, b = (min(max(sum(k * v for k, v in zip(row, linear, strict=True)), 0), 1) for row in matrix)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (each ** (1 / 3) if each > 0.008856 else 7.787 * each + 16 / 116 for each in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_contrast_is_that_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == 1
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("name", "hue"), HUES)
def test_text_can_be_read_on_every_colour_it_stands_on(name, hue):
    paint = THEMES[name].paint(hue)
    pairs = [(paint.text, paint.fill), (paint.on_band, paint.band), (THEMES[name].muted, paint.fill)]
    assert min(contrast(*pair) for pair in pairs) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_the_background_and_on_shaded_lanes(name):
    each = THEMES[name]
    assert (
        min(contrast(text, under) for text in (each.ink, each.muted) for under in (each.background, each.shade)) >= 4.5
    )


@pytest.mark.parametrize(("name", "hue"), HUES)
def test_borders_stand_out_from_both_sides(name, hue):
    each, paint = THEMES[name], THEMES[name].paint(hue)
    assert min(contrast(paint.stroke, under) for under in (each.background, each.shade, paint.fill)) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_lines_stand_out(name):
    each = THEMES[name]
    assert min(contrast(each.line, under) for under in (each.background, each.shade)) >= 3


@pytest.mark.parametrize("eyes", BLINDNESS)
def test_no_two_hues_look_the_same_to_the_colour_blind(eyes):
    colours = {hue: seen(band, BLINDNESS[eyes]) for hue, (band, _) in BANDS.items()}
    distances = {
        (one, other): sum((a - b) ** 2 for a, b in zip(colours[one], colours[other], strict=True)) ** 0.5
        for one, other in combinations(colours, 2)
    }
    assert min(distances.values()) > 10, min(distances, key=distances.__getitem__)


def test_no_two_kinds_share_both_hue_and_glyph():
    looks = [*KINDS.values(), OTHER]
    assert len(looks) == len(set(looks))


def test_every_look_can_be_drawn():
    assert {each.hue for each in (*KINDS.values(), OTHER)} <= set(BANDS)
    assert {each.glyph for each in (*KINDS.values(), OTHER)} <= set(GLYPHS)
    assert all(set(each.tints) == set(BANDS) for each in THEMES.values())


def test_kinds_that_nobody_thought_of_have_a_look_too():
    assert look("CronJob") == OTHER


def test_an_unknown_theme_is_an_error_that_names_the_others():
    with pytest.raises(ValueError, match="light, dark"):
        theme("sepia")


def test_a_widget_gets_the_colours_of_each_kind_in_each_theme():
    palette = palette_json(["Pod", "Pod", "CronJob"])
    assert list(palette["glyphs"]) == ["CronJob", "Pod"]
    assert palette["themes"]["dark"]["kinds"]["Pod"]["band"] == BANDS["green"][0]
