#!/usr/bin/env python3
"""Draws the pictures of the demo catalogue: one for each product (640x640) and four banners (1200x400).

Usage: draw-pictures.py FOLDER        needs the Debian packages python3-cairo and python3-pil

Every product motif is one function that draws on a 640x640 field, standing or floating over its own shadow and
without a background, so that the banners can place the same motifs at another size. Colours are "#rrggbb" or
"#rrggbbaa". Nothing depends on time, chance, fonts or locale: the same libraries give the same bytes.
"""

import io
import math
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import cairo
from PIL import Image

INK = "#2a2d45"
CREAM = "#fdf8f0"
WHITE = "#ffffff"
CORAL = "#ee7a62"
HONEY = "#f4bd57"
TEAL = "#3c9d97"
MINT = "#a9d9c2"
SKY = "#7fb3e6"
NAVY = "#2f4578"
PLUM = "#8d6bb8"
ROSE = "#f0a5ad"
WOOD = "#c98f5a"
LEATHER = "#a4623a"
STEEL = "#c9d0dc"
LEAF = "#5d9c6b"


# ---------------------------------------------------------------------------------------------------- colours


def channels(colour):
    """The parts of a colour as numbers from 0 to 1: red, green, blue, opacity."""
    digits = colour[1:] if len(colour) == 9 else colour[1:] + "ff"
    return [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4, 6)]


def shade(colour, amount):
    """Lighter (amount above 0, towards white) or darker (below 0, towards a deep violet)."""
    target = (1, 1, 1) if amount > 0 else (0.10, 0.08, 0.22)
    mixed = [part + (goal - part) * abs(amount) for part, goal in zip(channels(colour), target)]
    return "#" + "".join(f"{round(part * 255):02x}" for part in mixed)


def gradient(pattern, colours):
    for i, colour in enumerate(colours):
        pattern.add_color_stop_rgba(i / (len(colours) - 1), *channels(colour))
    return pattern


def across(left, right, *colours):
    return gradient(cairo.LinearGradient(left, 0, right, 0), colours)


def down(top, bottom, *colours):
    return gradient(cairo.LinearGradient(0, top, 0, bottom), colours)


def glow(x, y, radius, *colours):
    return gradient(cairo.RadialGradient(x, y, 0, x, y, radius), colours)


def rounded(left, right, colour):
    """The light on an upright cylinder of one colour."""
    return across(
        left, right, shade(colour, 0.10), shade(colour, 0.22), colour, shade(colour, -0.08), shade(colour, -0.22)
    )


# ----------------------------------------------------------------------------------------------------- shapes
# A shape is a function that traces itself on a cairo context.


def box(x, y, width, height, radius=0):
    def trace(context):
        context.new_sub_path()
        for quarter, (cx, cy) in enumerate(
            [
                (x + width - radius, y + radius),
                (x + width - radius, y + height - radius),
                (x + radius, y + height - radius),
                (x + radius, y + radius),
            ]
        ):
            context.arc(cx, cy, radius, (quarter - 1) * math.pi / 2, quarter * math.pi / 2)
        context.close_path()

    return trace


def ellipse(x, y, radius_x, radius_y):
    def trace(context):
        context.save()
        context.translate(x, y)
        context.scale(radius_x, radius_y)
        context.new_sub_path()
        context.arc(0, 0, 1, 0, 2 * math.pi)
        context.close_path()
        context.restore()

    return trace


def circle(x, y, radius):
    return ellipse(x, y, radius, radius)


def arc(x, y, radius, start, end):
    """An open arc clockwise from `start` to `end`, in degrees from three o'clock."""

    def trace(context):
        context.new_sub_path()
        context.arc(x, y, radius, math.radians(start), math.radians(end))

    return trace


def polygon(*points):
    def trace(context):
        context.new_sub_path()
        for point in points:
            context.line_to(*point)
        context.close_path()

    return trace


def polyline(*points):
    def trace(context):
        context.move_to(*points[0])
        for point in points[1:]:
            context.line_to(*point)

    return trace


def commands(path):
    """Splits path text (absolute M, L, C, Z with numbers, as in SVG) into (letter, points)."""
    result = []
    for letter, numbers in re.findall(r"([MLCZ])([^MLCZ]*)", path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        points = list(zip(values[0::2], values[1::2]))
        size = 3 if letter == "C" else 1
        result += [(letter, points[i : i + size]) for i in range(0, len(points), size)] or [(letter, [])]
    return result


def trace_commands(context, steps):
    for letter, points in steps:
        if letter == "M":
            context.move_to(*points[0])
        elif letter == "L":
            context.line_to(*points[0])
        elif letter == "C":
            context.curve_to(*points[0], *points[1], *points[2])
        else:
            context.close_path()


def outline(path):
    return lambda context: trace_commands(context, commands(path))


def symmetric(path, axis=320):
    """A closed shape of which `path` is one half, running from the axis of symmetry back to it."""
    steps = commands(path)
    vertices = [point for _, points in steps for point in points]
    back = [(2 * axis - x, y) for x, y in reversed(vertices)]
    mirrored, used = [], 1
    for letter, points in reversed(steps[1:]):
        mirrored.append((letter, back[used : used + len(points)]))
        used += len(points)
    return lambda context: trace_commands(context, steps + mirrored + [("Z", [])])


def spiral(x, y, radius_x, radius_y, turns):
    """An open line that winds outwards from (x, y), for whatever is rolled up."""

    def trace(context):
        for i in range(24 * turns + 1):
            share, angle = i / (24 * turns), math.radians(15 * i)
            context.line_to(x + radius_x * share * math.cos(angle), y + radius_y * share * math.sin(angle))

    return trace


def star(x, y, outer, inner, tips=5, turn=-90):
    corners = []
    for i in range(2 * tips):
        radius, angle = (inner if i % 2 else outer), math.radians(turn + i * 180 / tips)
        corners.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return polygon(*corners)


# ----------------------------------------------------------------------------------------------------- canvas


class Canvas:
    def __init__(self, width, height):
        self.size = (width, height)
        self.surface = cairo.ImageSurface(cairo.FORMAT_RGB24, width, height)
        self.context = cairo.Context(self.surface)
        self.context.set_antialias(cairo.ANTIALIAS_BEST)
        self.context.set_line_cap(cairo.LINE_CAP_ROUND)
        self.context.set_line_join(cairo.LINE_JOIN_ROUND)

    def use(self, paint):
        if isinstance(paint, str):
            self.context.set_source_rgba(*channels(paint))
        else:
            self.context.set_source(paint)

    def fill(self, shape, paint):
        self.context.new_path()
        shape(self.context)
        self.use(paint)
        self.context.fill()

    def line(self, shape, width, paint):
        self.context.new_path()
        shape(self.context)
        self.use(paint)
        self.context.set_line_width(width)
        self.context.stroke()

    def soft(self, shape, radius, paint):
        """Fills a shape and rounds its corners with a line of the same paint."""
        self.fill(shape, paint)
        self.line(shape, 2 * radius, paint)

    @contextmanager
    def kept(self):
        self.context.save()
        yield
        self.context.restore()

    @contextmanager
    def inside(self, shape):
        with self.kept():
            self.context.new_path()
            shape(self.context)
            self.context.clip()
            yield

    @contextmanager
    def turned(self, degrees, x, y):
        with self.kept():
            self.context.translate(x, y)
            self.context.rotate(math.radians(degrees))
            self.context.translate(-x, -y)
            yield

    @contextmanager
    def mirrored(self, axis=320):
        with self.kept():
            self.context.translate(2 * axis, 0)
            self.context.scale(-1, 1)
            yield

    @contextmanager
    def placed(self, x, y, scale):
        """Puts the 640x640 field of a motif with its upper left corner at (x, y)."""
        with self.kept():
            self.context.translate(x, y)
            self.context.scale(scale, scale)
            yield

    @contextmanager
    def isometric(self, x, y):
        """A ground plane seen from above: its axes run to the lower right and to the lower left from (x, y)."""
        with self.kept():
            self.context.transform(cairo.Matrix(0.866, 0.5, -0.866, 0.5, x, y))
            yield

    def shadow(self, x, y, radius_x, radius_y=20):
        with self.kept():
            self.context.translate(x, y)
            self.context.scale(radius_x, radius_y)
            self.fill(circle(0, 0, 1), glow(0, 0, 1, "#3a355a70", "#3a355a48", "#3a355a00"))

    def image(self):
        self.surface.flush()
        return Image.frombuffer(
            "RGB", self.size, bytes(self.surface.get_data()), "raw", "BGRX", self.surface.get_stride(), 1
        )


# ---------------------------------------------------------------------------------------------- shared details


def backdrop(p, tint):
    p.fill(box(0, 0, 640, 640), down(0, 640, shade(tint, 0.30), tint))
    p.fill(circle(320, 316, 262), shade(tint, 0.55))
    p.fill(circle(556, 92, 15), shade(tint, 0.62))
    p.fill(circle(594, 134, 7), shade(tint, 0.62))
    p.line(circle(76, 556, 14), 6, shade(tint, 0.62))


def steam(p, x, y):
    for shift, height in ((-34, 10), (0, -12), (34, 10)):
        left, top = x + shift, y + height
        p.line(
            outline(f"M{left},{top} C{left - 22},{top - 26} {left + 22},{top - 48} {left},{top - 76}"), 9, "#ffffffd0"
        )


def leaf(p, x, y, length, degrees, colour):
    """A leaf that grows from (x, y), upwards when degrees is 0."""
    with p.turned(degrees, x, y):
        half, tip, belly = length * 0.26, y - length, y - length * 0.5
        p.fill(
            outline(
                f"M{x},{y} C{x - half * 1.7},{belly} {x - half},{tip + half} {x},{tip}"
                f"C{x + half},{tip + half} {x + half * 1.7},{belly} {x},{y} Z"
            ),
            colour,
        )
        p.line(polyline((x, y), (x, tip + length * 0.22)), max(2, length * 0.03), shade(colour, -0.18))


def scenery(p, x, y, width, height, sky, ground, sun=HONEY):
    """An invented wallpaper of sun and hills; the caller clips it to a screen."""
    p.fill(box(x, y, width, height), down(y, y + height, sky, shade(sky, 0.55)))
    p.fill(circle(x + width * 0.66, y + height * 0.36, min(width, height) * 0.19), sun)
    for level, rise, tone in (
        (0.58, 0.16, shade(ground, 0.30)),
        (0.70, -0.13, ground),
        (0.84, 0.10, shade(ground, -0.25)),
    ):
        top, swing = y + height * level, height * rise
        p.fill(
            outline(
                f"M{x},{top} C{x + width * 0.3},{top - swing} {x + width * 0.6},{top + swing} {x + width},{top}"
                f"L{x + width},{y + height} L{x},{y + height} Z"
            ),
            tone,
        )


def glare(p, shape, x, width, slant=120):
    """A band of reflected light over a screen or a glass."""
    with p.inside(shape):
        p.fill(polygon((x, 0), (x + width, 0), (x + width - slant * 2, 640), (x - slant * 2, 640)), "#ffffff1c")


# ------------------------------------------------------------------------------------------------- electronics


def phone(p, body, sky, ground, island, lenses):
    """A back and a front view; `island` is the box of the camera plate, `lenses` are the centres of its lenses."""
    p.shadow(320, 556, 220)
    with p.turned(-8, 240, 330):
        back = box(138, 110, 208, 420, 40)
        p.fill(back, across(138, 346, shade(body, 0.20), body, shade(body, -0.16)))
        p.line(box(141, 113, 202, 414, 37), 5, shade(body, -0.26))
        p.fill(box(*island), shade(body, -0.20))
        for x, y in lenses:
            p.fill(circle(x, y, 21), shade(body, 0.35))
            p.fill(circle(x, y, 17), INK)
            p.fill(circle(x, y, 9), "#4a5f9c")
            p.fill(circle(x - 5, y - 5, 4), "#ffffffc0")
        p.line(circle(242, 400, 17), 6, shade(body, 0.42))
    with p.turned(6, 408, 340):
        p.fill(box(300, 112, 218, 436, 44), shade(body, -0.30))
        p.fill(box(304, 116, 210, 428, 40), INK)
        screen = box(313, 125, 192, 410, 32)
        with p.inside(screen):
            scenery(p, 313, 125, 192, 410, sky, ground)
        p.fill(circle(409, 150, 9), INK)
        p.fill(box(352, 186, 114, 22, 11), "#ffffffe6")
        p.fill(box(376, 218, 66, 10, 5), "#ffffffa8")
        p.fill(box(329, 456, 160, 56, 24), "#ffffff50")
        for column in range(3):
            p.fill(circle(361 + 48 * column, 484, 17), "#ffffffd0")
        glare(p, screen, 470, 120)


def folding_phone(p):
    p.shadow(320, 548, 240)
    body = "#54507c"
    left, right = ((112, 178), (318, 132), (318, 532), (112, 488)), ((528, 178), (322, 132), (322, 532), (528, 488))
    for panel in (left, right):
        p.soft(polygon(*panel), 18, body)
        p.soft(polygon(*panel), 11, INK)
    screen = polygon((112, 178), (320, 132), (528, 178), (528, 488), (320, 532), (112, 488))
    with p.inside(screen):
        scenery(p, 112, 132, 416, 400, "#f0a58c", "#7d63a8", "#ffe1a6")
        p.fill(box(320, 120, 220, 420), down(120, 540, "#fff7f0", "#f6e8e6"))
        for i in range(4):
            top = 222 + 62 * i
            p.fill(circle(364, top + 6, 18), (CORAL, HONEY, TEAL, PLUM)[i])
            p.fill(box(394, top - 8, 104, 12, 6), "#574f78")
            p.fill(box(394, top + 12, 72, 10, 5), "#574f7866")
        p.fill(box(240, 100, 160, 460), across(240, 400, "#00000000", "#24183c50", "#24183c20", "#00000000"))
    p.fill(box(174, 214, 96, 20, 10), "#ffffffe0")
    p.fill(box(186, 246, 72, 10, 5), "#ffffffa0")
    p.fill(circle(422, 176, 6), INK)
    p.fill(box(314, 118, 12, 428, 6), across(314, 326, shade(body, 0.35), shade(body, -0.2)))


def thin_laptop(p):
    p.shadow(320, 476, 270, 24)
    p.fill(box(122, 148, 396, 286, 22), shade(STEEL, -0.12))
    p.fill(box(127, 153, 386, 281, 18), INK)
    screen = box(139, 165, 362, 244, 8)
    with p.inside(screen):
        scenery(p, 139, 165, 362, 244, "#6fa8dc", "#3f7f8f", "#ffe3a3")
        p.fill(box(220, 374, 200, 26, 13), "#ffffffb8")
        for i in range(6):
            p.fill(box(232 + 31 * i, 379, 18, 16, 5), (CORAL, HONEY, TEAL, PLUM, SKY, ROSE)[i])
    glare(p, screen, 430, 130)
    p.fill(circle(320, 159, 3), "#7d86a8")
    base = outline("M66,430 L574,430 L574,440 C574,458 556,466 536,466 L104,466 C84,466 66,458 66,440 Z")
    p.fill(base, down(430, 466, "#eef1f6", "#aeb7c8"))
    p.fill(outline("M262,430 L378,430 C378,440 372,444 364,444 L276,444 C268,444 262,440 262,430 Z"), "#9fa9bd")


def power_laptop(p):
    p.shadow(320, 520, 280, 24)
    p.fill(box(136, 96, 368, 256, 18), "#22243a")
    screen = box(148, 108, 344, 226, 8)
    with p.inside(screen):
        p.fill(box(148, 108, 344, 226), "#353a5c")
        with p.inside(box(160, 120, 208, 122, 8)):
            scenery(p, 160, 120, 208, 122, "#f2a07c", "#6b4f93", "#ffe2a0")
        for i in range(5):
            p.fill(box(382, 124 + 24 * i, 96, 14, 7), "#ffffff26")
            p.fill(box(382, 124 + 24 * i, (70, 40, 84, 56, 30)[i], 14, 7), (TEAL, CORAL, HONEY, SKY, PLUM)[i])
        for track, (start, width, colour) in enumerate(((160, 150, SKY), (196, 190, CORAL), (172, 96, MINT))):
            p.fill(box(160, 256 + 24 * track, 320, 18, 6), "#ffffff18")
            p.fill(box(start, 256 + 24 * track, width, 18, 6), colour)
        p.fill(box(320, 250, 4, 80), WHITE)
    p.soft(polygon((136, 364), (504, 364), (566, 490), (74, 490)), 10, "#3b3f5e")
    p.fill(box(64, 488, 512, 20, 10), down(488, 508, "#2c2f49", "#1d1f33"))

    def deck(u, v):
        """A point of the keyboard: u from 0 (left) to 1 (right), v from 0 (hinge) to 1 (front edge)."""
        half = 184 + 62 * v
        return 320 + (2 * u - 1) * half, 364 + 126 * v

    backlight = ("#ff8f9c", "#ffb27a", "#f6d676", "#8fdcb0", "#7cc4f2", "#b59cf0")
    for row in range(4):
        for column in range(12):
            left, right, top, bottom = (
                0.06 + column * 0.074,
                0.12 + column * 0.074,
                0.06 + row * 0.14,
                0.15 + row * 0.14,
            )
            p.soft(
                polygon(deck(left, top), deck(right, top), deck(right, bottom), deck(left, bottom)),
                2,
                backlight[column // 2],
            )
    p.soft(polygon(deck(0.36, 0.68), deck(0.64, 0.68), deck(0.64, 0.94), deck(0.36, 0.94)), 4, "#53587e")


def tablet(p):
    p.shadow(320, 520, 260, 24)
    with p.turned(-5, 320, 320):
        p.fill(box(84, 146, 472, 352, 34), shade(STEEL, -0.14))
        p.fill(box(88, 150, 464, 344, 30), INK)
        screen = box(106, 168, 428, 308, 16)
        with p.inside(screen):
            p.fill(box(106, 168, 428, 308), CREAM)
            p.fill(circle(290, 316, 104), "#fbe0cf")
            p.fill(outline("M250,372 L330,372 L318,440 C316,448 264,448 262,440 Z"), CORAL)
            for degrees, length in ((-48, 104), (-20, 136), (10, 146), (40, 112)):
                leaf(p, 290, 376, length, degrees, LEAF if degrees in (-48, 10) else "#7fb98a")
            for i, colour in enumerate((CORAL, HONEY, LEAF, SKY, PLUM)):
                p.fill(circle(140, 216 + 46 * i, 15), colour)
            p.line(outline("M420,420 C450,390 470,440 500,410"), 6, PLUM)
        glare(p, screen, 520, 110)
    with p.turned(32, 470, 330):
        p.fill(polygon((461, 490), (479, 490), (470, 530)), "#f0c9a4")
        p.fill(polygon((466, 513), (474, 513), (470, 530)), PLUM)
        p.fill(box(458, 190, 24, 304, 6), rounded(458, 482, "#eef0f5"))
        p.fill(box(458, 190, 24, 34, 6), shade(STEEL, -0.18))


def headphones(p):
    body = "#5468a8"
    p.shadow(320, 540, 220)
    p.line(arc(320, 308, 172, 180, 360), 44, shade(body, -0.10))
    p.line(arc(320, 308, 178, 190, 350), 20, shade(body, 0.16))
    p.line(arc(320, 312, 152, 205, 335), 18, "#e9b58c")
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(box(136, 288, 24, 96, 12), STEEL)
            p.fill(box(176, 336, 62, 178, 31), across(176, 238, "#d79c70", "#f0c39c"))
            p.fill(box(98, 328, 104, 196, 50), across(98, 202, shade(body, 0.24), body, shade(body, -0.18)))
            p.fill(box(122, 360, 44, 132, 22), "#ffffff22")
            p.fill(circle(144, 426, 11), HONEY)


def earbuds(p):
    shell, case = "#f7f4ee", "#8fb3a8"
    p.shadow(320, 536, 200)
    p.fill(box(158, 152, 324, 230, 96), down(152, 382, shade(case, 0.06), shade(case, -0.20)))
    p.fill(box(178, 172, 284, 190, 80), shade(case, -0.40))
    p.fill(box(166, 300, 308, 80, 34), shade(case, -0.60))
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(box(244, 260, 34, 120, 17), rounded(244, 278, shell))
            p.fill(ellipse(212, 234, 24, 27), "#c4ccdb")
            p.fill(circle(250, 238, 42), glow(236, 222, 66, WHITE, shell, shade(shell, -0.16)))
            p.fill(ellipse(262, 246, 9, 15), "#7b87a4")
    p.fill(
        outline(
            "M158,344 C220,366 420,366 482,344 L482,420 C482,486 430,524 376,524 L264,524 C210,524 158,486 158,420 Z"
        ),
        across(158, 482, shade(case, 0.36), case, shade(case, -0.16)),
    )
    p.fill(circle(320, 432, 8), CREAM)


def speaker(p):
    body = "#d9654f"
    p.shadow(320, 548, 170)
    p.line(outline("M424,226 C500,226 500,376 428,382"), 20, "#7a3f36")
    shell = box(204, 130, 232, 414, 60)
    p.fill(shell, rounded(204, 436, body))
    with p.inside(box(204, 196, 232, 290)):
        for row in range(20):
            for column in range(17):
                p.fill(circle(204 + 15 * column + 7 * (row % 2), 206 + 15 * row, 3.4), "#5a201c55")
    p.fill(box(204, 480, 232, 18), "#5a201c50")
    p.fill(ellipse(320, 172, 102, 36), shade(body, -0.22))
    p.fill(ellipse(320, 168, 92, 30), shade(body, -0.34))
    p.fill(box(270, 164, 26, 7, 3.5), CREAM)
    p.fill(box(344, 164, 26, 7, 3.5), CREAM)
    p.fill(box(353.5, 157, 7, 21, 3.5), CREAM)
    p.fill(box(278, 316, 84, 44, 22), CREAM)
    for i in range(4):
        height = (12, 24, 18, 10)[i]
        p.fill(box(297 + 13 * i, 338 - height / 2, 6, height, 3), body)


def camera(p):
    p.shadow(320, 494, 250, 22)
    p.soft(polygon((258, 176), (382, 176), (404, 226), (236, 226)), 12, "#454a66")
    p.fill(box(296, 150, 48, 18, 5), "#8790a8")
    p.fill(box(130, 190, 70, 40, 10), "#8790a8")
    p.fill(box(448, 184, 58, 40, 10), rounded(448, 506, "#9aa3ba"))
    p.fill(box(142, 178, 42, 18, 8), CORAL)
    p.fill(box(92, 212, 456, 270, 40), down(212, 482, "#565c7c", "#3a3f5c"))
    with p.inside(box(92, 212, 456, 270, 40)):
        p.fill(box(92, 268, 456, 152), "#2b2e48")
        p.fill(box(92, 212, 92, 270), "#ffffff14")
    p.fill(box(474, 234, 48, 20, 10), "#f6e7b8")
    p.fill(circle(320, 350, 138), "#23253c")
    p.fill(circle(320, 350, 124), down(226, 474, "#7c849e", "#454b66"))
    p.fill(circle(320, 350, 106), "#23253c")
    p.line(arc(320, 350, 115, 200, 300), 5, "#ffffff66")
    p.fill(circle(320, 350, 84), glow(296, 322, 118, "#7fa8e8", "#3c4f9a", "#1d2046"))
    p.fill(circle(320, 350, 42), glow(306, 338, 60, "#5568b8", "#171a38"))
    p.fill(ellipse(286, 312, 24, 16), "#ffffffb8")
    p.fill(circle(352, 384, 9), "#ffffff70")


def instant_camera(p):
    body = "#8fcfc4"
    p.shadow(320, 538, 220)
    with p.turned(-4, 320, 160):
        p.fill(box(222, 74, 196, 170, 8), WHITE)
        with p.inside(box(238, 90, 164, 154)):
            scenery(p, 238, 90, 164, 130, "#f4b49a", "#4f8f9a", "#fff1c4")
    p.fill(box(128, 196, 384, 332, 66), down(196, 528, shade(body, 0.16), shade(body, -0.12)))
    p.fill(box(196, 206, 248, 16, 8), "#3f7f78")
    p.fill(outline("M128,430 L512,430 L512,462 C512,500 482,528 446,528 L194,528 C158,528 128,500 128,462 Z"), CREAM)
    p.fill(box(168, 248, 92, 58, 16), INK)
    p.fill(box(176, 256, 76, 42, 10), across(176, 252, "#f6eec6", "#fffdf0", "#f6eec6"))
    p.fill(circle(460, 270, 24), INK)
    p.fill(circle(460, 270, 14), "#5568a8")
    p.fill(circle(330, 372, 112), CREAM)
    p.fill(circle(330, 372, 90), INK)
    p.fill(circle(330, 372, 64), glow(310, 350, 90, "#86a6e6", "#3d4f98", "#1c1f44"))
    p.fill(ellipse(306, 346, 17, 12), "#ffffffb8")
    p.fill(circle(182, 380, 24), CORAL)
    p.fill(circle(178, 375, 9), "#ffffff55")


def sports_watch(p):
    strap = "#e8704f"
    p.shadow(320, 582, 130, 16)
    for top, bottom in ((52, 210), (430, 588)):
        ends = ((266, 374), (238, 402)) if top < 200 else ((238, 402), (266, 374))
        (a, b), (c, d) = ends
        p.soft(
            polygon((a, top), (b, top), (d, bottom), (c, bottom)),
            8,
            across(238, 402, shade(strap, 0.14), strap, shade(strap, -0.18)),
        )
    for y in (474, 504, 534, 564):
        p.fill(ellipse(320, y, 10, 7), shade(strap, -0.40))
    p.fill(box(296, 76, 48, 12, 6), shade(strap, -0.28))
    for y in (262, 358):
        p.fill(box(446, y, 28, 44, 10), "#8790a8")
    p.fill(circle(320, 330, 148), down(182, 478, "#6b7290", "#363b57"))
    p.fill(circle(320, 330, 128), "#1b1d31")
    for i in range(12):
        with p.turned(30 * i, 320, 330):
            p.fill(box(317, 209, 6, 14, 3), "#8f97b4")
    for radius, end, colour in ((96, 200, CORAL), (76, 130, HONEY), (56, 60, "#6fd0b0")):
        p.line(arc(320, 330, radius, 0, 360), 14, colour + "38")
        p.line(arc(320, 330, radius, -90, end), 14, colour)
    p.fill(outline("M326,296 L302,336 L318,336 L312,366 L338,324 L321,324 Z"), WHITE)


def fitness_band(p):
    strap = "#6a7fd0"
    p.shadow(320, 562, 170, 18)
    with p.turned(18, 320, 320):
        p.fill(box(262, 44, 116, 540, 52), across(262, 378, shade(strap, 0.24), strap, shade(strap, -0.18)))
        for i in range(6):
            p.fill(box(304, 474 + 17 * i, 32, 8, 4), shade(strap, -0.34))
        p.fill(box(300, 76, 40, 34, 8), "#e6e9f2")
        p.fill(box(246, 172, 148, 286, 64), shade(strap, -0.30))
        p.fill(box(254, 180, 132, 270, 58), "#191b2e")
        p.fill(box(286, 214, 68, 18, 9), WHITE)
        p.fill(box(300, 242, 40, 9, 4.5), "#8f97b4")
        p.fill(
            outline(
                "M320,352 C282,326 276,306 288,292 C300,280 316,286 320,300 C324,286 340,280 352,292"
                " C364,306 358,326 320,352 Z"
            ),
            CORAL,
        )
        p.line(polyline((276, 390), (302, 390), (312, 370), (326, 412), (336, 390), (364, 390)), 6, "#6fd0b0")


# -------------------------------------------------------------------------------------------------------- home


def desk_lamp(p):
    body = "#2f7f86"
    p.shadow(286, 548, 170)
    p.fill(box(170, 520, 230, 28, 14), rounded(170, 400, shade(body, -0.12)))
    p.line(polyline((284, 520), (186, 344)), 16, STEEL)
    p.line(polyline((186, 344), (392, 186)), 16, shade(STEEL, -0.10))
    p.fill(circle(284, 518, 20), body)
    p.fill(circle(186, 344, 22), body)
    p.fill(circle(186, 344, 9), HONEY)
    with p.turned(-34, 440, 250):
        p.fill(polygon((366, 311), (514, 311), (596, 580), (284, 580)), down(311, 570, "#ffe08ac0", "#ffe08a00"))
        p.fill(circle(440, 306, 34), "#fff3c4")
        p.fill(
            outline(
                "M406,176 L474,176 C480,176 484,180 486,186 L528,296 C532,306 526,312 516,312 L364,312"
                " C354,312 348,306 352,296"
                "L394,186 C396,180 400,176 406,176 Z"
            ),
            across(350, 530, shade(body, 0.22), body, shade(body, -0.22)),
        )
        p.fill(box(414, 152, 52, 30, 12), shade(body, -0.24))
        p.fill(ellipse(440, 311, 84, 10), "#ffedb4")


def pendant_lamp(p):
    body = "#c8664b"
    p.fill(polygon((140, 372), (500, 372), (590, 610), (50, 610)), down(372, 600, "#ffe08aa8", "#ffe08a00"))
    p.fill(box(317, 0, 6, 150), INK)
    p.fill(box(294, 140, 52, 56, 14), rounded(294, 346, "#d9b26a"))
    p.fill(
        symmetric("M320,186 C430,190 508,268 514,364 L320,364"),
        across(126, 514, shade(body, 0.26), body, shade(body, -0.26)),
    )
    p.line(outline("M172,326 C186,270 222,232 264,214"), 12, "#ffffff50")
    p.fill(ellipse(320, 364, 194, 30), shade(body, -0.34))
    p.fill(ellipse(320, 366, 176, 22), "#f7c667")
    p.fill(circle(320, 378, 38), glow(320, 378, 38, WHITE, "#fff3c8", "#ffe08a"))


def casserole(p):
    body = "#cf5a45"
    p.shadow(320, 522, 250, 24)
    for side in (p.kept, p.mirrored):
        with side():
            p.line(outline("M146,316 C96,310 88,366 140,368"), 24, shade(body, -0.18))
    p.fill(symmetric("M320,274 L510,274 L500,440 C496,494 460,518 410,518 L320,518"), rounded(130, 510, body))
    p.fill(box(130, 372, 380, 8), "#ffffff1a")
    p.fill(
        symmetric("M320,186 C420,186 496,216 516,262 C520,272 514,280 504,280 L320,280"),
        across(124, 516, shade(body, 0.30), shade(body, 0.06), shade(body, -0.22)),
    )
    p.line(outline("M164,252 C190,226 230,212 276,206"), 10, "#ffffff66")
    p.fill(box(116, 268, 408, 18, 9), shade(body, -0.26))
    p.fill(box(304, 170, 32, 22), "#b58b4d")
    p.fill(box(280, 138, 80, 38, 19), rounded(280, 360, "#e2bc78"))


def mug(p):
    glaze, clay = "#6fa3b8", "#dcb48c"
    p.shadow(300, 536, 190)
    p.line(outline("M420,292 C520,270 530,440 412,440"), 34, shade(glaze, -0.14))
    cup = outline("M160,226 L436,226 L428,470 C426,510 398,530 366,530 L230,530 C198,530 170,510 168,470 Z")
    p.fill(cup, rounded(160, 436, clay))
    with p.inside(cup):
        p.fill(
            outline(
                "M150,210 L450,210 L450,430 C420,452 390,418 350,432 C310,446 290,458 250,436"
                " C220,420 190,446 150,434 Z"
            ),
            rounded(160, 436, glaze),
        )
        for x, y in ((204, 300), (250, 372), (300, 280), (346, 346), (396, 300), (384, 396), (214, 396), (304, 408)):
            p.fill(circle(x, y, 4), "#ffffff70")
    p.fill(ellipse(298, 228, 138, 34), shade(glaze, 0.24))
    p.fill(ellipse(298, 232, 122, 26), "#7a4a33")
    p.fill(ellipse(290, 236, 96, 16), "#96603f")
    steam(p, 298, 174)


def chef_knife(p):
    p.shadow(320, 508, 270, 24)
    p.fill(box(88, 186, 464, 314, 40), shade(WOOD, -0.20))
    board = box(88, 174, 464, 314, 40)
    p.fill(board, "#dcaa74")
    with p.inside(board):
        for y, bend in ((214, 14), (268, -12), (330, 16), (392, -14), (446, 10)):
            p.line(outline(f"M80,{y} C220,{y + bend} 400,{y - bend} 560,{y + bend / 2}"), 5, "#c58f5890")
    p.fill(box(476, 214, 46, 18, 9), "#8e5c34")
    with p.turned(-24, 320, 330):
        p.fill(outline("M70,346 C130,292 240,276 378,280 L378,352 L180,362 C130,362 96,356 70,346 Z"), "#7a6a5a40")
        p.fill(
            outline("M64,334 C124,280 234,264 376,268 L376,340 L174,350 C124,350 90,344 64,334 Z"),
            down(264, 350, "#e9edf4", "#b4bdcd"),
        )
        p.fill(outline("M64,334 C200,336 300,328 376,324 L376,340 L174,350 C124,350 90,344 64,334 Z"), "#f7f9fc")
        p.fill(box(374, 262, 20, 66, 6), "#8b93a6")
        p.fill(
            outline("M392,266 L540,262 C562,262 568,296 552,314 C520,322 430,322 392,318 Z"),
            down(262, 322, "#5a4650", "#33262e"),
        )
        for x in (424, 470, 516):
            p.fill(circle(x, 292, 7), STEEL)
    for x, y, radius in ((170, 236, 34), (236, 226, 26)):
        p.fill(circle(x + 4, y + 8, radius), "#7a4a2a40")
        p.fill(circle(x, y, radius), glow(x - radius / 3, y - radius / 3, radius * 1.3, "#ff9a80", "#e2533f"))
        p.fill(star(x, y - radius * 0.55, radius * 0.5, radius * 0.18), LEAF)
    leaf(p, 452, 452, 70, 60, LEAF)
    leaf(p, 446, 452, 62, 8, "#7fb98a")
    leaf(p, 448, 456, 58, -52, LEAF)


def kettle(p):
    body = "#3d4763"
    p.shadow(330, 540, 220)
    p.line(outline("M250,440 C160,430 190,300 160,230 C150,206 130,196 108,196"), 26, shade(body, -0.10))
    p.line(outline("M250,432 C172,420 198,300 168,226 C160,206 140,190 112,190"), 8, shade(body, 0.26))
    p.line(outline("M420,246 C460,214 500,206 524,236"), 16, shade(body, -0.30))
    p.line(outline("M520,238 C556,276 528,350 496,398"), 30, across(490, 560, shade(WOOD, 0.16), shade(WOOD, -0.14)))
    p.fill(
        outline("M262,228 L434,228 L490,476 C494,494 484,502 466,502 L230,502 C212,502 202,494 206,476 Z"),
        rounded(206, 490, body),
    )
    p.fill(outline("M262,228 C276,196 420,196 434,228 Z"), shade(body, 0.16))
    p.fill(box(250, 220, 196, 16, 8), "#d9b26a")
    p.fill(box(336, 182, 24, 24, 6), "#d9b26a")
    p.fill(circle(348, 172, 22), rounded(326, 370, WOOD))
    p.fill(box(186, 500, 324, 36, 16), "#262b40")
    p.fill(box(314, 509, 68, 18, 6), "#7fe0c0")
    steam(p, 96, 166)


def espresso_machine(p):
    p.shadow(320, 552, 240)
    for x, colour in ((180, SKY), (272, HONEY), (364, MINT)):
        p.line(arc(x + 62, 116, 12, -80, 80), 7, shade(colour, -0.14))
        p.fill(outline(f"M{x},94 L{x + 62},94 L{x + 54},140 L{x + 8},140 Z"), rounded(x, x + 62, colour))
    p.fill(box(128, 136, 384, 20, 8), "#8f98ad")
    p.fill(box(136, 152, 368, 398, 30), rounded(136, 504, "#d8dde6"))
    p.fill(box(136, 152, 368, 120, 30), rounded(136, 504, "#d7604a"))
    p.fill(box(136, 240, 368, 34), rounded(136, 504, "#d7604a"))
    p.fill(circle(204, 212, 38), CREAM)
    p.line(circle(204, 212, 38), 6, "#7a2e26")
    p.line(polyline((204, 212), (222, 192)), 5, INK)
    for i, colour in enumerate((CREAM, CREAM, "#8fe0b8")):
        p.fill(circle(370 + 42 * i, 212, 14), colour)
    p.fill(box(168, 290, 304, 190, 18), "#3a3f56")
    p.fill(box(262, 270, 116, 34, 8), "#8f98ad")
    p.fill(box(276, 300, 88, 30, 8), "#c3cad6")
    p.line(polyline((360, 316), (456, 324)), 22, "#4b2e22")
    p.fill(box(306, 328, 28, 18, 4), "#8f98ad")
    p.line(polyline((312, 350), (312, 398)), 6, "#8a5436")
    p.line(polyline((328, 350), (328, 398)), 6, "#8a5436")
    p.fill(
        outline("M278,398 L362,398 L354,452 C352,462 344,468 334,468 L306,468 C296,468 288,462 286,452 Z"),
        across(278, 362, WHITE, "#d9d3cc"),
    )
    p.line(arc(364, 424, 15, -80, 80), 8, "#d9d3cc")
    p.line(outline("M194,280 C190,340 186,370 202,410"), 10, STEEL)
    p.fill(box(120, 478, 400, 50, 14), "#9aa3b6")
    for i in range(13):
        p.fill(box(152 + 26 * i, 494, 16, 8, 4), "#4c536c")
    p.fill(box(150, 536, 60, 18, 8), INK)
    p.fill(box(430, 536, 60, 18, 8), INK)


def armchair(p):
    fabric = "#4f8f86"
    p.shadow(320, 552, 250, 22)
    for x, lean in ((172, -10), (448, 10)):
        p.line(polyline((x, 480), (x + lean, 546)), 20, shade(WOOD, -0.12))
    p.fill(
        symmetric("M320,118 C430,118 470,150 474,220 L480,420 L320,420"),
        across(160, 480, shade(fabric, 0.18), fabric, shade(fabric, -0.16)),
    )
    for x, bend in ((250, -14), (320, 0), (390, 14)):
        p.line(outline(f"M{x},{142 + abs(bend)} C{x + bend},210 {x + bend},290 {x},350"), 5, shade(fabric, -0.22))
    p.fill(box(184, 352, 272, 92, 34), down(352, 444, shade(fabric, 0.28), shade(fabric, 0.02)))
    p.fill(box(150, 424, 340, 68, 20), shade(fabric, -0.20))
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(
                outline(
                    "M98,330 C98,284 196,284 196,330 L196,470 C196,490 184,498 168,498 L140,498"
                    " C118,498 108,486 106,466 Z"
                ),
                down(290, 498, shade(fabric, 0.16), shade(fabric, -0.12)),
            )
            p.line(outline("M112,336 C116,304 178,304 182,336"), 5, "#ffffff44")
    with p.turned(9, 320, 322):
        cushion_shape(p, 320, 322, 76, HONEY)


def side_table(p):
    p.shadow(320, 560, 200)
    for x, foot in ((250, 196), (390, 444)):
        p.line(polyline((x, 380), (foot, 556)), 18, shade(WOOD, -0.10))
    p.line(polyline((320, 384), (320, 566)), 18, shade(WOOD, -0.24))
    p.fill(ellipse(320, 384, 210, 44), shade(WOOD, -0.22))
    p.fill(ellipse(320, 370, 210, 44), "#dba873")
    p.fill(ellipse(320, 366, 180, 33), "#e5b885")
    p.fill(box(360, 340, 128, 22, 5), NAVY)
    p.fill(box(372, 320, 110, 20, 5), CORAL)
    p.fill(box(366, 302, 104, 18, 5), SKY)
    for degrees, length, colour in (
        (-58, 120, "#7fb98a"),
        (-30, 170, LEAF),
        (-4, 196, "#7fb98a"),
        (24, 168, LEAF),
        (52, 124, "#7fb98a"),
    ):
        leaf(p, 250, 268, length, degrees, colour)
    p.fill(outline("M190,256 L310,256 L298,356 C296,370 204,370 202,356 Z"), rounded(190, 310, "#f0e4d6"))
    p.fill(box(182, 244, 136, 24, 12), rounded(182, 318, "#f7ede1"))
    p.line(outline("M200,312 C220,300 240,324 260,312 C275,304 290,318 302,310"), 6, CORAL)


def cushion_shape(p, x, y, half, colour):
    """A plump square seen from the front; used for the cushions and on the armchair."""
    inner = half * 0.86
    shape = outline(
        f"M{x - half},{y - half} C{x - inner / 2},{y - inner} {x + inner / 2},{y - inner} {x + half},{y - half}"
        f"C{x + inner},{y - inner / 2} {x + inner},{y + inner / 2} {x + half},{y + half}"
        f"C{x + inner / 2},{y + inner} {x - inner / 2},{y + inner} {x - half},{y + half}"
        f"C{x - inner},{y + inner / 2} {x - inner},{y - inner / 2} {x - half},{y - half} Z"
    )
    p.soft(
        shape,
        half * 0.09,
        glow(x - half * 0.3, y - half * 0.3, half * 1.7, shade(colour, 0.20), colour, shade(colour, -0.22)),
    )
    return shape


def cushions(p):
    p.shadow(320, 528, 240)
    with p.turned(12, 400, 290):
        back = cushion_shape(p, 400, 290, 146, "#d97b5f")
        with p.inside(back):
            for i in range(-4, 5):
                p.line(polyline((400 + 42 * i - 160, 450), (400 + 42 * i + 160, 130)), 10, "#ffe9d870")
    with p.turned(-6, 250, 360):
        front = cushion_shape(p, 250, 360, 150, "#bcd9cc")
        with p.inside(front):
            for row in range(4):
                for column in range(4):
                    x, y = 154 + 64 * column, 264 + 64 * row
                    colour = (TEAL, "#e2674f")[(row + column) % 2]
                    p.fill(polygon((x, y - 18), (x + 18, y), (x, y + 18), (x - 18, y)), colour)
                    p.fill(circle(x, y, 5), "#f8ead6")


def towels(p):
    p.shadow(320, 540, 240)
    for i, (colour, inset) in enumerate((("#6d9dae", 0), ("#efc473", 12), ("#e3a28c", 6))):
        top, left, width = 446 - 92 * i, 110 + inset, 420 - 2 * inset
        towel = box(left, top, width, 90, 42)
        p.fill(towel, down(top, top + 90, shade(colour, 0.22), colour, shade(colour, -0.16)))
        with p.inside(towel):
            p.fill(box(left + 66, top, 16, 90), "#ffffff55")
            p.fill(box(left + 92, top, 8, 90), "#ffffff55")
        p.line(
            outline(
                f"M{left + width - 24},{top + 30}"
                f" C{left + width - 120},{top + 50} {left + width - 200},{top + 42} {left + width - 260},{top + 46}"
            ),
            4,
            shade(colour, -0.22),
        )
    p.fill(box(196, 152, 248, 112, 56), rounded(196, 444, "#efc8b4"))
    p.fill(ellipse(248, 208, 54, 56), "#f6d8c8")
    p.line(spiral(248, 208, 52, 54, 3), 6, "#d39c84")
    leaf(p, 470, 262, 108, 38, LEAF)
    leaf(p, 470, 262, 84, 76, "#7fb98a")


# ----------------------------------------------------------------------------------------------------- fashion


def tee(p):
    cloth = "#3f5a8f"
    p.shadow(320, 560, 170, 16)
    p.fill(symmetric("M320,116 C362,116 390,106 402,90 C398,140 372,174 320,174"), shade(cloth, -0.46))
    shirt = symmetric(
        "M320,172 C372,172 398,138 402,90 L452,108 C482,118 498,134 510,162 L566,282 L484,324 L456,272 L462,540"
        "C462,550 456,554 446,554 L320,554"
    )
    p.fill(shirt, across(100, 540, shade(cloth, 0.24), cloth, shade(cloth, -0.14)))
    with p.inside(shirt):
        for side in (p.kept, p.mirrored):
            with side():
                p.line(polyline((566, 264), (476, 308)), 5, shade(cloth, -0.30))
                p.line(outline("M456,276 C450,350 452,420 440,480"), 6, "#1d1b3a30")
        p.line(polyline((178, 534), (462, 534)), 4, shade(cloth, -0.30))
    p.line(outline("M238,94 C242,138 268,174 320,174 C372,174 398,138 402,94"), 13, shade(cloth, 0.22))
    badge = circle(320, 316, 66)
    p.fill(badge, "#fbe3b4")
    with p.inside(badge):
        p.fill(circle(320, 312, 32), CORAL)
        for top, colour in ((330, MINT), (352, TEAL)):
            p.fill(
                outline(
                    f"M240,{top} C280,{top - 26} 300,{top + 20} 330,{top}"
                    f" C350,{top - 14} 370,{top + 10} 392,{top - 4} L392,390 L240,390 Z"
                ),
                colour,
            )


def hoodie(p):
    cloth = "#7d93b8"
    p.shadow(320, 566, 190, 16)
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(
                outline("M196,176 C150,196 128,240 118,300 L82,500 L156,518 L206,340 Z"),
                across(90, 206, shade(cloth, 0.10), shade(cloth, -0.14)),
            )
            p.fill(
                outline("M84,488 L160,506 L154,540 C152,548 146,550 138,548 L84,536 C76,534 72,528 74,520 Z"),
                shade(cloth, -0.26),
            )
    body = symmetric("M320,160 L420,160 C446,170 458,190 462,220 L466,530 L320,530")
    p.fill(body, across(170, 470, shade(cloth, 0.20), cloth, shade(cloth, -0.10)))
    p.fill(box(176, 516, 288, 42, 14), shade(cloth, -0.26))
    p.fill(
        symmetric("M320,76 C396,76 440,120 436,176 C430,216 380,248 320,262"),
        across(204, 436, shade(cloth, 0.16), shade(cloth, -0.14)),
    )
    p.fill(symmetric("M320,108 C370,108 394,138 390,172 C384,202 356,222 320,240"), shade(cloth, -0.40))
    p.fill(symmetric("M320,196 C350,196 372,184 384,176 C380,204 354,224 320,240"), shade(cloth, -0.24))
    for x, bottom in ((290, 340), (350, 324)):
        p.line(polyline((x, 244), (x, bottom)), 7, CREAM)
        p.fill(box(x - 6, bottom - 4, 12, 24, 5), CREAM)
    p.fill(symmetric("M320,384 L384,384 L426,452 L426,498 L320,498"), shade(cloth, 0.14))
    p.line(polyline((256, 390), (216, 454)), 5, shade(cloth, -0.26))
    p.line(polyline((384, 390), (424, 454)), 5, shade(cloth, -0.26))


def rain_jacket(p):
    cloth = "#f0bb4a"
    p.shadow(320, 566, 200, 16)
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(
                outline("M204,170 C150,190 126,236 116,296 L84,470 L164,492 L212,350 Z"),
                across(84, 212, shade(cloth, 0.16), shade(cloth, -0.10)),
            )
            p.fill(outline("M88,448 L168,470 L162,498 L82,480 Z"), shade(cloth, -0.26))
    p.fill(
        symmetric("M320,160 L424,164 C446,172 456,190 460,220 L482,540 C482,550 476,556 466,556 L320,556"),
        across(158, 482, shade(cloth, 0.30), cloth, shade(cloth, -0.12)),
    )
    p.fill(
        symmetric("M320,64 C398,64 444,112 440,172 C434,206 384,222 320,236"),
        across(200, 440, shade(cloth, 0.22), shade(cloth, -0.14)),
    )
    p.fill(symmetric("M320,98 C368,98 396,128 390,166 C382,190 352,200 320,216"), "#4d5f86")
    p.line(symmetric("M320,98 C368,98 396,128 390,166 C382,190 352,200 320,216"), 6, shade(cloth, -0.26))
    p.fill(box(300, 224, 40, 332), shade(cloth, -0.10))
    for y in (262, 336, 410, 484):
        p.fill(circle(320, y, 9), CREAM)
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(box(190, 388, 92, 96, 12), shade(cloth, 0.12))
            p.fill(outline("M186,384 L286,384 L282,420 L190,420 Z"), shade(cloth, -0.14))
    for x, y in ((112, 120), (526, 110), (560, 210), (78, 226), (480, 64), (160, 62)):
        p.fill(
            outline(
                f"M{x},{y - 22} C{x + 6},{y - 6} {x + 12},{y} {x + 12},{y + 8}"
                f" C{x + 12},{y + 24} {x - 12},{y + 24} {x - 12},{y + 8}"
                f"C{x - 12},{y} {x - 6},{y - 6} {x},{y - 22} Z"
            ),
            "#8fb8dd",
        )


def running_shoe(p):
    knit = "#4b8fc4"
    p.shadow(324, 492, 270, 22)
    p.fill(outline("M246,290 L262,204 C266,190 292,188 298,206 L330,300 Z"), shade(knit, -0.28))
    upper = outline(
        "M84,440 C72,392 82,318 98,262 C104,238 126,234 146,246 C180,268 220,270 246,238"
        " C256,226 272,226 282,238 L374,334"
        "C404,362 450,372 500,382 C548,392 570,414 566,446 Z"
    )
    p.fill(upper, down(236, 446, shade(knit, 0.28), knit, shade(knit, -0.10)))
    with p.inside(upper):
        for row in range(8):
            for column in range(7):
                p.fill(circle(398 + 22 * column + 11 * (row % 2), 350 + 13 * row, 3), "#ffffff58")
        p.fill(outline("M60,450 L60,300 C110,318 160,350 168,450 Z"), NAVY)
        p.fill(outline("M500,372 C520,400 520,430 512,456 L580,456 L580,372 Z"), NAVY)
        p.line(outline("M180,440 C216,360 262,346 300,318"), 15, "#ffe2a4")
        p.line(outline("M226,440 C262,376 310,364 346,348"), 15, "#ffe2a4")
    p.line(outline("M106,262 C140,284 212,292 254,246"), 12, shade(knit, -0.38))
    for i in range(4):
        x, y = 284 + 27 * i, 252 + 28 * i
        p.line(polyline((x - 22, y + 24), (x + 12, y - 4)), 10, WHITE)
    p.fill(
        outline(
            "M70,426 C60,450 70,478 104,484 L520,484 C566,484 584,458 576,428 C520,450 440,446 380,440"
            " C280,430 160,446 70,426 Z"
        ),
        down(426, 484, WHITE, "#dfe3ec"),
    )
    p.fill(outline("M78,466 C86,482 94,490 120,490 L510,490 C546,490 566,482 574,462 C500,474 180,474 78,466 Z"), CORAL)


def ankle_boot(p):
    p.shadow(326, 528, 250, 22)
    p.line(outline("M166,136 C140,150 146,196 168,196"), 11, shade(LEATHER, -0.30))
    p.fill(outline("M262,134 C300,120 316,92 344,86 C362,84 374,96 374,116 L380,250 L300,290 Z"), shade(LEATHER, -0.36))
    upper = outline(
        "M158,128 C200,142 280,142 336,126 C352,122 360,132 360,148 C360,220 366,272 398,304 C430,334 486,336 526,366"
        "C560,392 566,430 564,470 L152,470 C142,400 168,330 160,250 C156,200 152,160 158,128 Z"
    )
    p.fill(upper, across(150, 564, shade(LEATHER, 0.22), LEATHER, shade(LEATHER, -0.14)))
    with p.inside(upper):
        p.fill(outline("M130,480 L130,360 C190,350 230,390 236,480 Z"), shade(LEATHER, -0.20))
        p.fill(outline("M452,330 C430,380 440,430 456,480 L590,480 L590,330 Z"), shade(LEATHER, -0.12))
        p.line(outline("M456,338 C436,384 444,430 458,470"), 4, "#f2cfa8")
        p.line(outline("M140,366 C196,356 230,394 238,470"), 4, "#f2cfa8")
        p.line(outline("M306,130 C304,230 320,300 372,350"), 4, "#f2cfa8")
        p.line(outline("M150,150 C210,166 290,164 350,146"), 16, shade(LEATHER, -0.24))
    for i in range(5):
        x, y = (336, 338, 344, 358, 384)[i], 176 + 34 * i
        p.line(polyline((x - 16, y + 12), (x + 28, y - 6)), 9, "#f4dfb8")
        p.fill(circle(x - 16, y + 12, 7), "#d9b26a")
    p.fill(box(140, 462, 432, 30, 14), "#5b3a28")
    p.line(polyline((156, 468), (556, 468)), 4, "#e8c698")
    p.fill(outline("M144,484 L250,484 L246,524 L150,524 C144,524 142,520 142,514 Z"), INK)
    p.fill(outline("M300,486 L572,486 C570,506 556,516 536,516 L330,516 C316,516 306,506 300,486 Z"), INK)


def backpack(p):
    cloth = "#3f6f74"
    p.shadow(320, 562, 210)
    p.line(outline("M270,126 C270,56 370,56 370,126"), 18, shade(cloth, -0.40))
    for side in (p.kept, p.mirrored):
        with side():
            p.line(outline("M180,250 C120,290 116,430 164,500"), 24, shade(cloth, -0.34))
            p.fill(box(142, 376, 70, 150, 28), shade(cloth, -0.18))
    p.fill(
        symmetric("M320,100 C440,100 486,170 486,270 L480,510 C478,542 460,556 430,556 L320,556"),
        across(156, 484, shade(cloth, 0.22), cloth, shade(cloth, -0.16)),
    )
    p.line(outline("M184,300 C184,190 230,148 320,148 C410,148 456,190 456,300"), 7, shade(cloth, -0.40))
    p.line(polyline((454, 296), (454, 326)), 9, HONEY)
    p.fill(box(268, 206, 104, 62, 12), LEATHER)
    p.line(box(276, 214, 88, 46, 8), 3, "#f2cfa8")
    p.fill(circle(320, 237, 11), "#f2cfa8")
    p.fill(box(194, 326, 252, 196, 40), shade(cloth, -0.16))
    p.fill(box(194, 318, 252, 194, 40), across(194, 446, shade(cloth, 0.26), shade(cloth, 0.08), shade(cloth, -0.10)))
    p.line(outline("M214,372 C260,360 380,360 426,372"), 7, shade(cloth, -0.40))
    p.line(polyline((238, 370), (238, 400)), 9, HONEY)
    p.fill(box(286, 424, 68, 44, 6), shade(cloth, -0.06))


def tote_bag(p):
    cloth = "#efe3cc"
    p.shadow(320, 562, 200)
    p.line(outline("M250,240 C248,50 392,50 390,240"), 18, shade(LEATHER, -0.34))
    bag = outline("M150,226 L490,226 L510,524 C512,546 502,556 484,556 L156,556 C138,556 128,546 130,524 Z")
    p.fill(bag, across(130, 510, shade(cloth, 0.30), cloth, shade(cloth, -0.12)))
    p.line(outline("M240,300 C238,90 402,90 400,300"), 18, LEATHER)
    p.line(polyline((154, 250), (486, 250)), 4, shade(cloth, -0.26))
    for x in (240, 400):
        p.fill(box(x - 16, 268, 32, 42, 6), LEATHER)
        p.line(polyline((x - 8, 278), (x + 8, 300)), 3, "#f2cfa8")
        p.line(polyline((x + 8, 278), (x - 8, 300)), 3, "#f2cfa8")
    p.line(polyline((320, 510), (320, 360)), 7, LEAF)
    for y, length in ((490, 92), (450, 86), (410, 74)):
        leaf(p, 320, y, length, -58, LEAF)
        leaf(p, 320, y - 16, length, 58, "#7fb98a")
    leaf(p, 320, 372, 56, 0, LEAF)


def cap(p):
    cloth = "#c9584a"
    p.shadow(330, 478, 250)
    p.fill(box(272, 142, 32, 20, 10), shade(cloth, -0.26))
    crown = outline(
        "M94,410 C84,260 170,152 288,152 C412,152 484,256 484,402 C400,376 300,424 130,432 C108,432 96,426 94,410 Z"
    )
    p.fill(crown, across(92, 480, shade(cloth, 0.22), cloth, shade(cloth, -0.14)))
    with p.inside(crown):
        p.line(outline("M288,152 C246,220 228,300 232,392"), 4, shade(cloth, -0.28))
        p.line(outline("M288,152 C372,190 424,280 434,392"), 4, shade(cloth, -0.28))
        p.line(outline("M288,152 C190,190 140,280 136,434"), 4, shade(cloth, -0.28))
        p.line(outline("M90,404 C170,404 230,396 280,384"), 4, shade(cloth, -0.28))
    for x, y in ((196, 240), (350, 226), (264, 214)):
        p.fill(circle(x, y, 5), shade(cloth, -0.34))
    p.fill(
        outline(
            "M222,386 C310,362 420,370 482,392 C552,410 606,444 606,470 C604,484 590,486 572,480"
            " C480,446 350,432 244,446"
            "C212,448 200,396 222,386 Z"
        ),
        down(366, 482, shade(cloth, 0.06), shade(cloth, -0.34)),
    )
    p.line(outline("M236,430 C340,412 470,424 574,464"), 3, shade(cloth, 0.34))
    p.fill(circle(336, 306, 48), CREAM)
    p.fill(polygon((300, 330), (328, 280), (344, 306), (354, 292), (374, 330)), TEAL)
    p.fill(circle(358, 276, 8), HONEY)


def sunglasses(p):
    frame = "#7a4b2f"
    p.shadow(320, 444, 250, 20)
    for side in (p.kept, p.mirrored):
        with side():
            p.line(outline("M92,264 C110,220 150,196 214,190"), 16, shade(frame, -0.24))
    for side in (p.kept, p.mirrored):
        with side():
            lens = outline(
                "M92,256 C130,238 242,236 286,258 C300,266 298,300 292,330 C282,384 244,410 192,410"
                " C134,410 100,380 90,322 C86,298 82,266 92,256 Z"
            )
            p.fill(lens, down(240, 410, "#3c4f7f", "#7f94c8", "#f2b9a0"))
            p.line(lens, 22, frame)
            p.line(outline("M104,252 C140,240 236,240 276,256"), 7, shade(frame, 0.32))
            p.fill(circle(94, 262, 6), "#e9c98d")
    for shift in (0, 248):
        with p.inside(box(104 + shift, 268, 184, 130, 54)):
            p.fill(polygon((150 + shift, 250), (196 + shift, 250), (136 + shift, 420), (90 + shift, 420)), "#ffffff30")
            p.fill(polygon((212 + shift, 250), (226 + shift, 250), (166 + shift, 420), (152 + shift, 420)), "#ffffff30")
    p.line(outline("M286,286 C300,264 340,264 354,286"), 18, frame)
    p.line(outline("M290,278 C306,262 334,262 350,278"), 5, shade(frame, 0.32))


# ------------------------------------------------------------------------------------------------------- sport


def football(p):
    p.shadow(320, 552, 190)
    x, y, radius = 320, 320, 222
    ball = circle(x, y, radius)
    p.fill(ball, glow(x - 70, y - 90, 330, WHITE, "#f1f3f8", "#b3bad0"))
    golden = (1 + math.sqrt(5)) / 2
    corners = [(a, b * golden, 0) for a in (-1, 1) for b in (-1, 1)]
    corners = [point[-i:] + point[:-i] for point in corners for i in range(3)]
    tilt, turn = 0.42, 0.62

    def projected(point):
        """Turns a point of the ball and looks at it from the front: (x, y, towards us)."""
        size = math.sqrt(sum(part * part for part in point))
        a, b, c = (part / size for part in point)
        a, c = a * math.cos(turn) + c * math.sin(turn), c * math.cos(turn) - a * math.sin(turn)
        b, c = b * math.cos(tilt) - c * math.sin(tilt), b * math.sin(tilt) + c * math.cos(tilt)
        return x + radius * a, y + radius * b, c

    def between(one, other, share):
        return tuple(a + (b - a) * share for a, b in zip(one, other))

    with p.inside(ball):
        for corner in corners:
            near = [other for other in corners if 0 < math.dist(corner, other) < 2.1]
            center = projected(corner)
            seams = sorted(
                (between(corner, other, 0.34) for other in near),
                key=lambda point: math.atan2(projected(point)[1] - center[1], projected(point)[0] - center[0]),
            )
            if center[2] > -0.15:
                p.soft(polygon(*(projected(point)[:2] for point in seams)), 4, "#333a5e")
            for other in near:
                ends = [projected(between(corner, other, share)) for share in (0.34, 0.5)]
                if ends[0][2] > 0 and ends[1][2] > 0:
                    p.line(polyline(ends[0][:2], ends[1][:2]), 5, "#9aa2ba")
        p.fill(ball, glow(x - 60, y - 80, 320, "#ffffff30", "#ffffff00", "#262a5a48"))
        p.line(ball, 9, "#7f88a8")


def basketball(p):
    p.shadow(320, 552, 190)
    ball = circle(320, 320, 222)
    p.fill(ball, glow(250, 230, 340, "#ffb877", "#ec8442", "#b9542b"))
    with p.turned(-18, 320, 320), p.inside(ball):
        seam = "#4a2a2c"
        p.line(polyline((80, 320), (560, 320)), 9, seam)
        p.line(polyline((320, 80), (320, 560)), 9, seam)
        p.line(circle(84, 320, 168), 9, seam)
        p.line(circle(556, 320, 168), 9, seam)
    p.fill(ellipse(232, 208, 54, 30), "#ffffff38")


def dumbbell(p, colour):
    """One hexagonal weight in the middle of the field."""
    p.fill(box(226, 296, 188, 48, 16), down(296, 344, "#f1f3f7", "#a9b1c2"))
    for i in range(9):
        p.line(polyline((258 + 15 * i, 304), (252 + 15 * i, 336)), 3, "#8b93a680")
    for side in (p.kept, p.mirrored):
        with side():
            p.soft(
                polygon((112, 262), (148, 210), (214, 210), (238, 262), (238, 378), (214, 430), (148, 430), (112, 378)),
                10,
                across(102, 248, shade(colour, 0.24), colour, shade(colour, -0.22)),
            )
            p.fill(polygon((112, 262), (238, 262), (238, 378), (112, 378)), "#ffffff16")
            p.fill(box(232, 272, 18, 96, 8), shade(colour, -0.34))


def dumbbells(p):
    p.shadow(320, 520, 270)
    with p.placed(118, 30, 0.76), p.turned(-32, 320, 320):
        dumbbell(p, TEAL)
    with p.placed(20, 130, 0.92):
        dumbbell(p, "#46506f")


def yoga_mat(p):
    mat = "#8e77bd"
    p.shadow(320, 466, 270, 22)
    p.line(outline("M196,222 C206,96 388,96 384,222"), 16, "#d9b98a")
    p.fill(
        outline("M142,218 L480,218 L480,458 L142,458 C66,458 66,218 142,218 Z"),
        down(218, 458, shade(mat, 0.34), mat, shade(mat, -0.28)),
    )
    for x in (190, 372):
        outer = f"M{x},216 L{x + 36},216 C{x - 20},290 {x - 20},386 {x + 36},460"
        inner = f"L{x},460 C{x - 56},386 {x - 56},290 {x},216 Z"
        p.fill(outline(outer + inner), down(216, 460, "#f9e8c8", "#f2d9b0", "#c9a878"))
    p.fill(ellipse(480, 338, 74, 120), shade(mat, 0.46))
    p.line(spiral(480, 338, 70, 116, 5), 6, shade(mat, -0.10))


def tent(p):
    cloth = "#e88d4f"
    p.fill(ellipse(320, 500, 276, 42), "#9ccb9a")
    p.fill(ellipse(320, 494, 262, 34), "#b5dab0")
    for left, right in (((180, 320), (70, 490)), ((470, 300), (580, 484))):
        p.line(polyline(left, right), 4, "#6b6076")
        p.line(polyline(right, (right[0] + (6 if right[0] < 320 else -6), right[1] + 18)), 8, WOOD)
    p.fill(
        outline("M250,158 C380,150 500,270 540,496 L372,510 Z"),
        across(250, 540, shade(cloth, -0.10), shade(cloth, -0.32)),
    )
    p.fill(
        outline("M250,158 C150,240 112,380 100,506 L392,512 C390,380 340,240 250,158 Z"),
        across(100, 392, shade(cloth, 0.28), cloth),
    )
    p.fill(outline("M246,250 C204,320 184,410 180,509 L318,511 C316,410 290,320 246,250 Z"), "#4a3d5e")
    p.fill(outline("M246,250 C204,320 184,410 180,509 L196,509 C214,430 236,350 246,250 Z"), "#ffd9a8")
    p.fill(outline("M246,250 C290,320 316,410 318,511 L276,511 C282,430 270,330 246,250 Z"), "#ffd9a8")
    p.line(outline("M250,158 C360,230 388,380 392,512"), 7, CREAM)
    p.line(outline("M250,158 C150,240 112,380 100,506"), 7, CREAM)
    p.line(outline("M250,158 C380,150 500,270 540,496"), 7, CREAM)
    p.fill(polygon((250, 158), (250, 100), (300, 118), (250, 136)), TEAL)
    p.line(polyline((250, 160), (250, 98)), 6, WOOD)
    for x, y in ((120, 526), (440, 530), (520, 516)):
        for lean in (-12, 0, 12):
            p.line(polyline((x, y), (x + lean, y - 20)), 5, LEAF)


def insulated_bottle(p):
    body = "#4a7fb5"
    p.shadow(320, 574, 130, 16)
    p.line(outline("M276,112 C276,40 364,40 364,112"), 16, "#3a4056")
    p.fill(box(266, 92, 108, 80, 16), rounded(266, 374, "#454c66"))
    p.fill(box(276, 166, 88, 26), rounded(276, 364, STEEL))
    bottle = symmetric("M320,184 L362,184 C366,216 418,224 418,286 L418,536 C418,560 404,572 382,572 L320,572")
    p.fill(bottle, rounded(222, 418, body))
    with p.inside(bottle):
        p.fill(outline("M200,450 L270,380 L310,424 L370,350 L450,440 L450,600 L200,600 Z"), "#ffffff50")
        p.fill(outline("M200,500 L260,456 L330,500 L400,440 L450,480 L450,600 L200,600 Z"), "#ffffff66")
        p.fill(circle(286, 336, 22), HONEY)
        p.fill(box(222, 546, 196, 30), rounded(222, 418, STEEL))
    p.fill(box(248, 292, 12, 224, 6), "#ffffff60")


def bike_helmet(p):
    shell = "#45a391"
    p.shadow(326, 520, 220)
    p.line(outline("M196,410 C220,470 262,500 300,520"), 11, INK)
    p.line(outline("M396,410 C384,460 340,500 300,520"), 11, INK)
    p.fill(box(282, 506, 44, 26, 8), CORAL)
    p.fill(outline("M92,400 C110,420 500,420 548,392 L560,420 C520,450 130,450 96,424 Z"), "#33384f")
    dome = outline(
        "M88,396 C80,250 190,132 340,132 C460,132 546,230 560,372 C562,396 552,404 530,406"
        " C400,420 240,420 116,414 C98,412 88,408 88,396 Z"
    )
    p.fill(dome, glow(270, 200, 380, shade(shell, 0.40), shell, shade(shell, -0.30)))
    with p.inside(dome):
        for path in (
            "M150,330 C164,256 214,200 262,184 C236,236 214,290 208,340 C190,350 160,350 150,330 Z",
            "M252,336 C262,268 296,206 340,172 C346,226 340,290 326,344 C304,352 268,352 252,336 Z",
            "M372,342 C382,284 384,226 376,176 C420,204 446,268 450,334 C434,350 392,354 372,342 Z",
            "M484,330 C484,278 462,226 432,192 C484,220 520,276 528,322 C522,340 496,342 484,330 Z",
        ):
            p.fill(outline(path), "#243b48")
        p.fill(box(60, 372, 520, 16), CREAM)
    p.fill(outline("M536,352 C580,360 612,384 618,404 C620,414 610,418 600,414 C580,406 558,402 540,404 Z"), "#33384f")


# -------------------------------------------------------------------------------------------- books and stationery


def closed_book(p, cover):
    """A standing book, its pages to the right and below; the artwork goes on the face (150, 84, 310, 436)."""
    p.shadow(330, 556, 210)
    p.fill(box(146, 96, 342, 456, 14), shade(cover, -0.34))
    p.fill(box(160, 100, 320, 444, 6), "#fbf5e6")
    for i in range(4):
        p.line(polyline((466 + 4 * i, 110), (466 + 4 * i, 538)), 1.5, "#d9cbb0")
        p.line(polyline((164, 526 + 4 * i), (474, 526 + 4 * i)), 1.5, "#d9cbb0")
    p.fill(box(138, 84, 324, 440, 14), cover)


def novel(p):
    cover = "#33477e"
    with p.turned(-4, 320, 320):
        closed_book(p, cover)
        with p.inside(box(138, 84, 324, 440, 14)):
            p.fill(box(138, 84, 324, 440), down(84, 524, "#2c3a72", "#6a6aa8", "#f0a78c"))
            p.fill(circle(394, 168, 34), "#fff0c4")
            for x, y in ((200, 122), (250, 190), (430, 250), (190, 250), (330, 120), (228, 300)):
                p.fill(circle(x, y, 3.5), "#fff6dc")
            p.fill(polygon((300, 262), (138, 214), (138, 322)), "#fff0c466")
            p.fill(polygon((300, 262), (470, 300), (470, 360)), "#fff0c440")
            p.fill(polygon((276, 288), (324, 288), (340, 446), (260, 446)), CREAM)
            for top in (312, 364, 416):
                p.fill(
                    polygon(
                        (278 - (top - 288) / 10, top),
                        (322 + (top - 288) / 10, top),
                        (325 + (top - 288) / 10, top + 24),
                        (275 - (top - 288) / 10, top + 24),
                    ),
                    CORAL,
                )
            p.fill(box(278, 244, 44, 40, 6), "#ffe9a8")
            p.fill(polygon((270, 246), (330, 246), (300, 216)), CORAL)
            p.fill(box(268, 280, 64, 10, 4), INK)
            p.fill(outline("M220,470 C240,436 360,436 390,470 Z"), "#3a3558")
            for top, colour in ((462, "#3f7f9c"), (484, "#2f6488"), (506, "#264f74")):
                p.fill(
                    outline(
                        f"M138,{top} C180,{top - 16} 220,{top + 16} 262,{top}"
                        f" C304,{top - 16} 344,{top + 16} 386,{top} C420,{top - 14} 440,{top + 8} 470,{top}"
                        "L470,540 L138,540 Z"
                    ),
                    colour,
                )
            p.fill(box(138, 84, 20, 440), "#1a1c4438")
        p.line(polyline((164, 90), (164, 518)), 3, "#ffffff30")


def cookbook(p):
    cover = "#f3e3c3"
    with p.turned(4, 320, 320):
        p.fill(polygon((400, 520), (428, 520), (428, 596), (414, 582), (400, 596)), CORAL)
        closed_book(p, cover)
        p.fill(box(138, 84, 36, 440, 14), CORAL)
        p.fill(box(156, 84, 18, 440), CORAL)
        p.fill(box(214, 128, 208, 24, 12), "#5c4a3c")
        p.fill(box(250, 166, 136, 14, 7), "#5c4a3c90")
        p.fill(circle(318, 366, 118), "#f9efda")
        steam(p, 318, 290)
        for x, y, radius, colour in ((268, 340, 30, HONEY), (318, 328, 36, "#e2674f"), (370, 340, 30, "#f0d48a")):
            p.fill(circle(x, y, radius), colour)
        leaf(p, 290, 330, 60, -36, LEAF)
        leaf(p, 350, 328, 58, 34, "#7fb98a")
        p.fill(
            symmetric("M318,344 L426,344 C426,404 390,448 346,448 L318,448", 318),
            across(210, 426, shade(TEAL, 0.20), TEAL, shade(TEAL, -0.18)),
        )
        p.line(outline("M226,372 C256,384 286,360 318,372 C350,384 380,360 410,372"), 7, CREAM)
        p.fill(box(286, 446, 64, 14, 6), shade(TEAL, -0.24))


def notebook(p):
    cover = "#4d8a84"
    p.shadow(320, 560, 220)
    with p.turned(-7, 300, 320):
        p.fill(polygon((250, 530), (272, 530), (272, 586), (261, 574), (250, 586)), HONEY)
        p.fill(box(132, 92, 316, 452, 24), shade(cover, -0.36))
        p.fill(box(136, 92, 306, 444, 20), "#fbf5e6")
        p.fill(
            box(126, 84, 316, 448, 24),
            across(126, 442, shade(cover, 0.06), shade(cover, 0.16), cover, shade(cover, -0.10)),
        )
        p.fill(box(126, 84, 44, 448, 22), shade(cover, -0.18))
        p.fill(box(212, 160, 150, 84, 12), CREAM)
        for y, width in ((182, 110), (202, 110), (222, 66)):
            p.fill(box(232, y - 4, width, 7, 3.5), "#b9ad98")
        p.fill(box(400, 84, 16, 448), INK)
    with p.turned(16, 500, 330):
        p.fill(polygon((486, 500), (514, 500), (500, 544)), "#d9b26a")
        p.fill(box(482, 160, 36, 344, 12), rounded(482, 518, NAVY))
        p.fill(box(482, 300, 36, 12), "#d9b26a")
        p.fill(box(482, 146, 36, 40, 14), "#d9b26a")
        p.fill(box(512, 172, 10, 96, 5), "#f0d596")


def pencils(p):
    p.shadow(320, 560, 190)
    tints = ("#e2574c", "#f08c45", "#f2c14b", "#6db36d", "#4aa3b5", "#5876c4", "#9a66b8")
    for i in (0, 6, 1, 5, 2, 4, 3):
        with p.inside(box(0, 0, 640, 356)), p.turned((i - 3) * 6, 320, 640):
            x = 320 + (i - 3) * 10
            p.fill(
                box(x - 21, 168, 42, 300),
                across(
                    x - 21,
                    x + 21,
                    shade(tints[i], 0.24),
                    shade(tints[i], 0.24),
                    tints[i],
                    tints[i],
                    shade(tints[i], -0.20),
                ),
            )
            p.fill(
                outline(
                    f"M{x - 21},172 L{x},92 L{x + 21},172 C{x + 14},162 {x + 7},162 {x},172"
                    f" C{x - 7},162 {x - 14},162 {x - 21},172 Z"
                ),
                "#f3d6ae",
            )
            p.fill(polygon((x - 8, 121), (x, 90), (x + 8, 121)), tints[i])
    p.fill(
        outline("M180,356 L460,356 L448,536 C447,550 438,558 424,558 L216,558 C202,558 193,550 192,536 Z"),
        across(180, 460, "#fdf6e8", "#f6e8cf", "#dcc7a2"),
    )
    p.fill(box(172, 344, 296, 26, 10), "#e9d3b0")
    for i, colour in enumerate(tints):
        p.fill(box(226 + 28 * i, 420, 20, 70, 10), colour)


# ------------------------------------------------------------------------------------------------------ beauty


def face_cream(p):
    p.shadow(300, 540, 250)
    with p.turned(-16, 478, 400):
        p.fill(circle(478, 420, 112), shade("#d8a56a", -0.22))
        p.fill(circle(468, 416, 112), glow(430, 370, 180, "#f7ddb0", "#dcae74", "#bd8a50"))
        p.line(circle(468, 416, 84), 5, "#fff0d490")
        leaf(p, 468, 456, 84, 0, "#fff0d4b0")
    jar = outline("M92,330 L412,330 L404,486 C402,520 384,536 352,536 L152,536 C120,536 102,520 100,486 Z")
    p.fill(jar, across(92, 412, WHITE, "#fdf3f1", "#eccfd2", "#d9b0bb"))
    p.fill(box(104, 292, 296, 50, 10), across(104, 400, WHITE, "#f7e9e8", "#dcbcc4"))
    p.fill(ellipse(252, 294, 148, 40), "#f4e3e2")
    p.fill(ellipse(252, 294, 130, 31), "#e2c4c6")
    p.fill(
        outline(
            "M130,296 C150,250 200,252 216,226 C226,206 262,186 290,196 C276,204 284,216 306,226"
            " C344,244 362,262 374,294"
            "C350,330 154,330 130,296 Z"
        ),
        across(130, 374, WHITE, "#fffaf4", "#f3ddd6"),
    )
    p.line(outline("M172,284 C210,262 262,266 300,246"), 6, "#ecd0c8")
    p.line(outline("M206,304 C250,286 300,290 338,276"), 6, "#ecd0c8")
    p.fill(box(172, 386, 160, 84, 14), "#ffffff90")
    leaf(p, 252, 446, 48, -42, LEAF)
    leaf(p, 252, 446, 54, 0, "#7fb98a")
    leaf(p, 252, 446, 48, 42, LEAF)


def flower(p, x, y, size, petal):
    for i in range(5):
        with p.turned(72 * i, x, y):
            p.fill(ellipse(x, y - size * 0.6, size * 0.42, size * 0.55), petal)
    p.fill(circle(x, y, size * 0.32), HONEY)


def perfume(p):
    p.shadow(320, 552, 210)
    p.line(outline("M470,540 C500,470 500,400 540,340"), 7, LEAF)
    leaf(p, 498, 452, 76, 50, LEAF)
    leaf(p, 500, 440, 70, -44, "#7fb98a")
    flower(p, 542, 330, 46, ROSE)
    flower(p, 478, 512, 38, "#f7c6c0")
    p.fill(box(254, 84, 132, 108, 16), across(254, 386, "#f5dfb2", "#fff1cf", "#dcae6c", "#b98645"))
    p.fill(box(278, 186, 84, 40), across(278, 362, "#e7c68e", "#f6e1b8", "#b98645"))
    p.fill(box(176, 218, 288, 332, 44), "#ffffffc8")
    p.fill(box(176, 218, 288, 332, 44), across(176, 464, "#e3bcd870", "#f7e6f4b0", "#b58cc890"))
    p.line(box(179, 221, 282, 326, 42), 5, "#ffffffd0")
    p.fill(box(206, 284, 228, 240, 26), down(284, 524, "#e8b6d2", "#c78fc4"))
    p.fill(box(206, 284, 228, 24, 12), "#f3cfe2")
    p.line(polyline((320, 226), (320, 490)), 4, "#ffffff80")
    p.fill(box(248, 364, 144, 96, 10), CREAM)
    flower(p, 320, 400, 22, PLUM)
    p.fill(box(276, 434, 88, 8, 4), "#b9a3c4")
    p.fill(box(190, 250, 14, 250, 7), "#ffffffa8")


# -------------------------------------------------------------------------------------------------------- toys


def pawn(p, x, y, colour):
    """A playing piece that stands on (x, y)."""
    p.fill(ellipse(x, y, 32, 14), "#3a355a40")
    p.fill(
        outline(
            f"M{x - 28},{y - 4} C{x - 24},{y - 40} {x - 12},{y - 50} {x - 10},{y - 70} L{x + 10},{y - 70}"
            f"C{x + 12},{y - 50} {x + 24},{y - 40} {x + 28},{y - 4}"
            f"C{x + 20},{y + 8} {x - 20},{y + 8} {x - 28},{y - 4} Z"
        ),
        rounded(x - 28, x + 28, colour),
    )
    p.fill(circle(x, y - 84, 23), glow(x - 8, y - 92, 36, shade(colour, 0.42), colour, shade(colour, -0.16)))


def die(p, x, y):
    p.fill(polygon((x, y - 62), (x + 48, y - 34), (x, y - 6), (x - 48, y - 34)), WHITE)
    p.fill(polygon((x - 48, y - 34), (x, y - 6), (x, y + 48), (x - 48, y + 20)), "#e9e4ee")
    p.fill(polygon((x + 48, y - 34), (x, y - 6), (x, y + 48), (x + 48, y + 20)), "#cfc8dc")
    p.fill(ellipse(x, y - 34, 10, 6), CORAL)
    for across_x, down_y in ((-36, -11), (-24, 11), (-12, 33), (14, 26), (36, -6)):
        p.fill(ellipse(x + across_x, y + down_y, 5, 8), INK)


def board_game(p):
    p.shadow(320, 520, 290, 30)
    p.fill(polygon((56, 368), (320, 520), (584, 368), (584, 392), (320, 544), (56, 392)), "#a9713f")
    with p.isometric(320, 214):
        p.fill(box(0, 0, 305, 305), "#f3dfb6")
        p.line(box(8, 8, 289, 289), 5, WOOD)
        path = (
            [(i, 0) for i in range(7)]
            + [(6, i) for i in range(1, 7)]
            + [(i, 6) for i in range(5, -1, -1)]
            + [(0, i) for i in range(5, 0, -1)]
        )
        for i, (column, row) in enumerate(path):
            p.fill(box(20 + 38.5 * column, 20 + 38.5 * row, 34, 34, 7), (CORAL, HONEY, TEAL, SKY, CREAM)[i % 5])
        p.fill(circle(152, 152, 84), "#bfe0c0")
        p.line(outline("M96,180 C130,120 170,200 214,130"), 9, "#fff6df")
        p.fill(star(152, 152, 40, 17), CORAL)
    die(p, 430, 318)
    pawn(p, 170, 384, "#e2574c")
    pawn(p, 320, 268, "#4f77c0")
    pawn(p, 306, 470, "#58a46c")


def teddy_bear(p):
    fur, pale = "#c58f5c", "#f0d6ae"
    p.shadow(320, 560, 220)
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(circle(214, 138, 56), shade(fur, -0.10))
            p.fill(circle(216, 142, 32), pale)
            with p.turned(28, 196, 380):
                p.fill(ellipse(190, 390, 48, 96), shade(fur, -0.12))
    p.fill(ellipse(320, 430, 138, 128), glow(280, 380, 190, shade(fur, 0.22), fur, shade(fur, -0.14)))
    p.fill(ellipse(320, 446, 88, 88), pale)
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(circle(208, 512, 62), shade(fur, -0.06))
            p.fill(ellipse(204, 520, 34, 30), pale)
            for x, y in ((172, 482), (200, 474), (230, 482)):
                p.fill(circle(x, y, 10), pale)
    p.fill(ellipse(320, 216, 146, 128), glow(280, 170, 210, shade(fur, 0.24), fur, shade(fur, -0.12)))
    p.fill(ellipse(320, 262, 68, 54), pale)
    p.fill(ellipse(320, 238, 24, 17), INK)
    p.line(polyline((320, 252), (320, 272)), 5, INK)
    p.line(outline("M292,276 C300,292 316,290 320,272 C324,290 340,292 348,276"), 5, INK)
    for x in (262, 378):
        p.fill(circle(x, 206, 15), INK)
        p.fill(circle(x - 4, 201, 5), WHITE)
        p.fill(ellipse(x + (x - 320) * 0.42, 252, 20, 13), "#ee7a6255")
    for side in (p.kept, p.mirrored):
        with side():
            p.fill(
                outline("M320,346 C290,316 236,312 226,334 C220,352 222,374 230,386 C250,396 296,378 320,346 Z"),
                across(222, 320, TEAL, shade(TEAL, -0.16)),
            )
    p.fill(circle(320, 348, 19), shade(TEAL, -0.26))


def block(p, x, y, colour):
    """A wooden cube with its lower front corner at (x, y) and a side of about 110."""
    p.soft(polygon((x, y), (x - 92, y - 48), (x - 92, y - 150), (x, y - 102)), 6, shade(colour, 0.10))
    p.soft(polygon((x, y), (x + 92, y - 48), (x + 92, y - 150), (x, y - 102)), 6, shade(colour, -0.20))
    p.soft(polygon((x, y - 104), (x - 92, y - 152), (x, y - 200), (x + 92, y - 152)), 6, shade(colour, 0.36))


def wooden_blocks(p):
    p.shadow(320, 510, 280, 46)
    block(p, 218, 490, "#5f9fd0")
    block(p, 424, 490, "#6bb07c")
    p.fill(circle(172, 412, 24), CREAM)
    p.fill(star(470, 412, 30, 13), CREAM)
    block(p, 322, 340, "#ee7a62")
    p.fill(polygon((252, 262), (276, 220), (300, 288)), CREAM)
    p.fill(box(350, 236, 40, 40, 8), "#fdf8f0e0")
    p.fill(
        outline("M256,196 L322,72 L388,196 C372,228 272,228 256,196 Z"),
        across(256, 388, shade(HONEY, 0.36), HONEY, shade(HONEY, -0.20)),
    )
    p.fill(
        outline(
            "M256,516 L256,474 C256,392 384,392 384,474 L384,516 C384,544 346,550 346,526 L346,482"
            " C346,448 294,448 294,482 L294,526 C294,550 256,544 256,516 Z"
        ),
        across(256, 384, shade(PLUM, 0.30), PLUM, shade(PLUM, -0.16)),
    )
    p.fill(circle(524, 512, 36), glow(512, 498, 54, "#fff0c8", HONEY, shade(HONEY, -0.16)))


# ----------------------------------------------------------------------------------------------------- banners


def sweep(p, top, dip, colour):
    """A soft wave over the whole width of a banner, filled down to its lower edge."""
    p.fill(
        outline(
            f"M0,{top} C300,{top - dip} 560,{top + dip} 820,{top}"
            f" C980,{top - dip * 0.6} 1100,{top - dip * 0.4} 1200,{top + dip * 0.3}"
            "L1200,400 L0,400 Z"
        ),
        colour,
    )


def electronics_banner(p):
    p.fill(box(0, 0, 1200, 400), down(0, 400, "#dfe6f8", "#bccaef"))
    p.fill(circle(900, 190, 250), "#ffffff50")
    p.fill(circle(900, 190, 180), "#ffffff50")
    sweep(p, 330, 40, "#93a6dc60")
    sweep(p, 366, -30, "#7f94d066")
    for x, y, size in ((420, 74, 10), (520, 300, 7), (620, 60, 6), (1150, 60, 12)):
        p.fill(circle(x, y, size), "#ffffffb0")
    with p.placed(534, 76, 0.46):
        headphones(p)
    with p.placed(962, 100, 0.42):
        sports_watch(p)
    with p.placed(722, 10, 0.60):
        phone(p, *ORBLUME_12)


def home_banner(p):
    p.fill(box(0, 0, 1200, 400), down(0, 340, "#f8e9d6", "#f1d9be"))
    p.fill(box(0, 336, 1200, 64), down(336, 400, "#d9ad7f", "#c7976a"))
    p.fill(box(0, 328, 1200, 10), "#fdf5ea")
    p.fill(ellipse(800, 370, 330, 26), "#b9d3c6")
    p.fill(ellipse(800, 366, 300, 20), "#cfe2d6")
    for x, y, width, height, sky, ground in (
        (506, 84, 96, 128, "#9cc3d8", "#5d9c8a"),
        (632, 112, 72, 72, "#f2b39a", "#8d6bb8"),
    ):
        p.fill(box(x - 8, y - 8, width + 16, height + 16, 4), shade(WOOD, -0.10))
        with p.inside(box(x, y, width, height)):
            scenery(p, x, y, width, height, sky, ground)
    with p.placed(846, -20, 0.34):
        pendant_lamp(p)
    with p.placed(660, 80, 0.54):
        armchair(p)
    with p.placed(936, 128, 0.44):
        side_table(p)
    with p.placed(522, 222, 0.27):
        cushions(p)


def pine(p, x, y, height, colour):
    p.fill(box(x - height * 0.04, y - height * 0.1, height * 0.08, height * 0.12), shade(WOOD, -0.30))
    for level in range(3):
        half, top, bottom = (
            height * (0.28 - 0.06 * level),
            y - height * (0.5 + 0.25 * level),
            y - height * (0.08 + 0.22 * level),
        )
        p.fill(polygon((x - half, bottom), (x, top), (x + half, bottom)), shade(colour, 0.07 * level))


def outdoor_banner(p):
    p.fill(box(0, 0, 1200, 400), down(0, 330, "#a9d4e6", "#d6ebe6", "#fdf0d2"))
    p.fill(circle(760, 120, 92), "#fff3c680")
    p.fill(circle(760, 120, 58), "#ffe09a")
    p.fill(polygon((380, 330), (600, 130), (700, 220), (860, 90), (1080, 260), (1200, 180), (1200, 340)), "#93b7bd")
    p.fill(polygon((860, 90), (918, 135), (888, 150), (866, 132), (842, 156), (816, 132)), WHITE)
    p.fill(polygon((600, 130), (634, 164), (610, 170), (594, 160), (570, 176), (562, 164)), WHITE)
    sweep(p, 276, 40, "#84b596")
    sweep(p, 320, -34, "#6ea27f")
    for x, y, height in (
        (470, 318, 104),
        (522, 330, 140),
        (584, 322, 96),
        (1080, 330, 150),
        (1142, 346, 190),
        (1020, 318, 96),
    ):
        pine(p, x, y, height, "#3f7a62")
    sweep(p, 356, 20, "#a5cf96")
    with p.placed(660, 96, 0.48):
        tent(p)
    with p.placed(934, 208, 0.28):
        insulated_bottle(p)
    with p.placed(590, 228, 0.26):
        backpack(p)


def everyday_banner(p):
    p.fill(box(0, 0, 1200, 400), down(0, 400, "#fbe6dc", "#f6c9ba"))
    p.fill(circle(820, 210, 270), "#ffffff3c")
    p.fill(circle(1130, 30, 100), "#ffffff30")
    p.line(circle(470, 80, 26), 8, "#ffffff90")
    p.fill(circle(560, 250, 9), "#ffffffb0")
    p.fill(box(476, 322, 690, 30, 15), "#e58f78")
    p.fill(box(476, 322, 690, 12, 6), "#f0a48e")
    for motif, x, scale, foot in (
        (novel, 455, 0.36, 556),
        (mug, 606, 0.26, 530),
        (backpack, 698, 0.42, 558),
        (running_shoe, 907, 0.24, 490),
        (football, 1042, 0.17, 544),
    ):
        with p.placed(x, 328 - foot * scale, scale):
            motif(p)


# --------------------------------------------------------------------------------------------------- the pictures

ELECTRONICS, HOME, FASHION, SPORT = "#ccd8f0", "#f3dfc4", "#f4d3cb", "#c9e6d6"
BOOKS, BEAUTY, TOYS = "#f7e5b4", "#e2d2ef", "#c8e4f0"

ORBLUME_12 = ("#6f8fd8", "#f2a48f", "#6d5bb0", (158, 132, 74, 126, 30), ((195, 168), (195, 222)))
ORBLUME_12_PRO = ("#5a5672", "#4d5fa8", "#3a3468", (178, 136, 128, 128, 64), ((242, 168), (214, 220), (270, 220)))
ORBLUME_LITE = ("#8fcdb2", "#8fd0e0", "#3f8f83", (184, 136, 116, 60, 30), ((214, 166), (268, 166)))

PRODUCTS = {
    "sm-orb-12": (ELECTRONICS, lambda p: phone(p, *ORBLUME_12)),
    "sm-orb-12p": (ELECTRONICS, lambda p: phone(p, *ORBLUME_12_PRO)),
    "sm-orb-l3": (ELECTRONICS, lambda p: phone(p, *ORBLUME_LITE)),
    "sm-orb-duo": (ELECTRONICS, folding_phone),
    "lt-kel-14": (ELECTRONICS, thin_laptop),
    "lt-kel-16": (ELECTRONICS, power_laptop),
    "tb-kel-11": (ELECTRONICS, tablet),
    "hp-son-cocoon": (ELECTRONICS, headphones),
    "hp-son-galet": (ELECTRONICS, earbuds),
    "sp-son-tambour": (ELECTRONICS, speaker),
    "cm-fok-m1": (ELECTRONICS, camera),
    "cm-fok-minute": (ELECTRONICS, instant_camera),
    "sw-tik-trail": (ELECTRONICS, sports_watch),
    "sw-tik-band": (ELECTRONICS, fitness_band),
    "lp-hal-arc": (HOME, desk_lamp),
    "lp-hal-cloche": (HOME, pendant_lamp),
    "kt-bra-pot": (HOME, casserole),
    "kt-bra-mug": (HOME, mug),
    "kt-bra-knife": (HOME, chef_knife),
    "ap-kuv-kettle": (HOME, kettle),
    "ap-kuv-espresso": (HOME, espresso_machine),
    "fu-hal-armchair": (HOME, armchair),
    "fu-hal-table": (HOME, side_table),
    "ln-tis-cushion": (HOME, cushions),
    "ln-tis-towel": (HOME, towels),
    "tp-tis-tee": (FASHION, tee),
    "tp-tis-hoodie": (FASHION, hoodie),
    "jk-tis-rain": (FASHION, rain_jacket),
    "sh-pas-run": (FASHION, running_shoe),
    "sh-pas-boot": (FASHION, ankle_boot),
    "bg-sak-pack": (FASHION, backpack),
    "bg-sak-tote": (FASHION, tote_bag),
    "ac-tis-cap": (FASHION, cap),
    "ac-lun-sun": (FASHION, sunglasses),
    "bl-atl-foot": (SPORT, football),
    "bl-atl-basket": (SPORT, basketball),
    "ft-atl-dumbbell": (SPORT, dumbbells),
    "ft-atl-mat": (SPORT, yoga_mat),
    "ou-cre-tent": (SPORT, tent),
    "ou-cre-bottle": (SPORT, insulated_bottle),
    "cy-cre-helmet": (SPORT, bike_helmet),
    "bk-salt-light": (BOOKS, novel),
    "bk-slow-table": (BOOKS, cookbook),
    "st-pap-note": (BOOKS, notebook),
    "st-pap-pencil": (BOOKS, pencils),
    "bt-amb-cream": (BEAUTY, face_cream),
    "bt-amb-parfum": (BEAUTY, perfume),
    "ty-pou-game": (TOYS, board_game),
    "ty-pou-bear": (TOYS, teddy_bear),
    "ty-pou-blocks": (TOYS, wooden_blocks),
}

PRODUCT_BYTES_MAX, BANNER_BYTES_MAX = 12_000, 22_000

BANNERS = {
    "banner-electronics": electronics_banner,
    "banner-home": home_banner,
    "banner-outdoor": outdoor_banner,
    "banner-everyday": everyday_banner,
}


def save(canvas, path, size_max):
    """Writes the picture at the highest quality that stays under size_max bytes."""
    for quality in range(92, 50, -2):
        data = io.BytesIO()
        canvas.image().save(data, "WEBP", quality=quality, method=6)
        if data.tell() < size_max:
            path.write_bytes(data.getvalue())
            return
    sys.exit(f"{path.name} is too rich for {size_max} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (tint, motif) in PRODUCTS.items():
        canvas = Canvas(640, 640)
        backdrop(canvas, tint)
        motif(canvas)
        save(canvas, folder / f"{name}.webp", PRODUCT_BYTES_MAX)
    for name, banner in BANNERS.items():
        canvas = Canvas(1200, 400)
        banner(canvas)
        save(canvas, folder / f"{name}.webp", BANNER_BYTES_MAX)


if __name__ == "__main__":
    main()
