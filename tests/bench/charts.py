"""Charts as SVG, readable on a white and on a dark page."""
import html
import math

OWN, PEER = "#2f6f4f", "#8a97a6"
COLOURS = ["#2f6f4f", "#b3541e", "#3b6ea8", "#8a4f9e", "#6b6b6b", "#a8923b"]


def plain(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def text(x, y, words, anchor="start", more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {more}>{html.escape(words)}</text>'


def picture(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n')


def bars(values, own=(), holds=False, logarithmic=False):
    """A bar a value; ours, whose name begins with (or with `holds` contains) one of `own`, in colour."""
    most, parts = max(value for _, value in values), []
    scale = (lambda v: math.log10(max(v, 1)) / math.log10(most)) if logarithmic else (lambda v: v / most)
    for row, (name, value) in enumerate(values):
        y, width = 8 + row * 24, max(2, 400 * scale(value))
        mine = any(word in name if holds else name.startswith(word) for word in own)
        parts += [text(214, y + 14, name, "end"), f'<rect x="220" y="{y}" width="{width:.0f}" height="18" fill="{OWN if mine else PEER}"/>', text(226 + width, y + 14, plain(value))]
    return picture(720, 16 + 24 * len(values), parts)


def lines(series):
    """Values by size, both logarithmic: {name: [(x, y)]}."""
    left, top, width, height = 70, 14, 420, 280
    xs = [math.log10(x) for points in series.values() for x, _ in points]
    ys = [math.log10(max(y, 0.1)) for points in series.values() for _, y in points]
    low_x, high_x, low_y, high_y = min(xs), max(xs), math.floor(min(ys)), math.ceil(max(ys))
    at_x = lambda x: left + width * (math.log10(x) - low_x) / max(1e-9, high_x - low_x)
    at_y = lambda y: top + height * (1 - (math.log10(max(y, 0.1)) - low_y) / max(1e-9, high_y - low_y))
    parts = []
    for power in range(low_y, high_y + 1):
        y = at_y(10**power)
        parts += [f'<line x1="{left}" x2="{left + width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>', text(left - 6, y + 4, plain(10**power), "end")]
    for x in sorted({x for points in series.values() for x, _ in points}):
        parts += [f'<line x1="{at_x(x):.0f}" x2="{at_x(x):.0f}" y1="{top}" y2="{top + height}" stroke="#ddd"/>', text(at_x(x), top + height + 16, f"{x:,}", "middle")]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{at_x(x):.1f},{at_y(y):.1f}" for x, y in sorted(points))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts += [f'<rect x="{left + width + 20}" y="{top + number * 20}" width="12" height="12" fill="{colour}"/>', text(left + width + 38, top + 11 + number * 20, name)]
    return picture(760, top + height + 30, parts)
