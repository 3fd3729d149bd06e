"""Draws the pictures, stickers and videos of the demo world into ``data/``. For developers: needs Pillow, and PyAV.

    python -m tobs.sandbox.worlds.demo.build_pictures

The pictures are committed; run this only to change one. The same version of Pillow draws the same bytes.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

DATA = Path(__file__).parent / "data"
WIDE, HIGH = 1280, 853

Colour = tuple[int, int, int]
Draw = ImageDraw.ImageDraw
Painter = Callable[[Draw, random.Random, int, int], None]

NIGHT: tuple[Colour, Colour] = ((16, 22, 48), (62, 58, 96))
DUSK: tuple[Colour, Colour] = ((54, 42, 86), (232, 138, 92))
DAY: tuple[Colour, Colour] = ((150, 198, 222), (242, 232, 208))
ROOM: tuple[Colour, Colour] = ((92, 66, 48), (150, 110, 76))
PAPER: tuple[Colour, Colour] = ((244, 236, 216), (228, 214, 184))
GREEN: tuple[Colour, Colour] = ((44, 74, 66), (96, 132, 104))
BRASS: Colour = (212, 170, 84)
DARK: Colour = (32, 26, 28)
CREAM: Colour = (246, 238, 220)
RED: Colour = (186, 62, 54)


def font(size: int, *, bold: bool = False) -> Any:
    """Return DejaVu if it is installed, else Pillow's own font."""
    name = "DejaVuSerif-Bold.ttf" if bold else "DejaVuSerif.ttf"
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)


def gradient(width: int, height: int, colours: tuple[Colour, Colour]) -> Image.Image:
    """A vertical gradient."""
    strip = Image.new("RGB", (1, height))
    for y in range(height):
        part = y / height
        strip.putpixel((0, y), tuple(round(a + (b - a) * part) for a, b in zip(*colours, strict=True)))
    return strip.resize((width, height))


def panel(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """The switchboard: rows of jacks, some lit, cords between them."""
    d.rectangle((w * 0.08, h * 0.08, w * 0.92, h * 0.9), fill=(70, 44, 30))
    d.rectangle((w * 0.1, h * 0.11, w * 0.9, h * 0.86), fill=DARK)
    spots = []
    for row in range(7):
        for column in range(16):
            x, y = w * (0.135 + column * 0.0487), h * (0.17 + row * 0.088)
            lit = rng.random() < 0.12
            d.ellipse((x - 22, y - 22, x + 22, y + 22), fill=BRASS)
            d.ellipse((x - 12, y - 12, x + 12, y + 12), fill=(255, 226, 140) if lit else (18, 14, 14))
            spots.append((x, y))
    for _ in range(6):
        (x1, y1), (x2, y2) = rng.sample(spots, 2)
        sag = max(y1, y2) + h * 0.12
        curve = [
            (
                (1 - t) ** 2 * x1 + 2 * (1 - t) * t * (x1 + x2) / 2 + t * t * x2,
                (1 - t) ** 2 * y1 + 2 * (1 - t) * t * sag + t * t * y2,
            )
            for t in (step / 40 for step in range(41))
        ]
        d.line(curve, fill=rng.choice([RED, (60, 110, 120), (200, 190, 160)]), width=12, joint="curve")


def phone(body: Colour) -> Painter:
    """A rotary telephone on a table."""
    return lambda d, rng, w, h: _phone(d, w, h, body)


def _phone(d: Draw, w: int, h: int, body: Colour) -> None:
    d.rectangle((0, h * 0.78, w, h), fill=(96, 60, 40))
    cx, base = w / 2, h * 0.82
    d.polygon([(cx - 330, base), (cx - 210, base - 300), (cx + 210, base - 300), (cx + 330, base)], fill=body)
    d.rounded_rectangle((cx - 360, base - 420, cx + 360, base - 330), 45, fill=body)
    d.ellipse((cx - 400, base - 430, cx - 240, base - 270), fill=body)
    d.ellipse((cx + 240, base - 430, cx + 400, base - 270), fill=body)
    d.ellipse((cx - 160, base - 285, cx + 160, base + 5 - 20), fill=CREAM)
    for digit in range(10):
        angle = math.radians(-60 - digit * 30)
        x, y = cx + 112 * math.cos(angle), base - 150 + 112 * math.sin(angle)
        d.ellipse((x - 26, y - 26, x + 26, y + 26), fill=body)
    d.ellipse((cx - 52, base - 202, cx + 52, base - 98), fill=BRASS)


def house(stars: int) -> Painter:
    """The exchange from the street, with poles and wires."""
    return lambda d, rng, w, h: _house(d, rng, w, h, stars)


def _house(d: Draw, rng: random.Random, w: int, h: int, stars: int) -> None:
    for _ in range(stars):
        x, y = rng.random() * w, rng.random() * h * 0.5
        d.ellipse((x - 2, y - 2, x + 3, y + 3), fill=CREAM)
    d.rectangle((0, h * 0.82, w, h), fill=(38, 44, 46))
    left, right, top, ground = w * 0.17, w * 0.83, h * 0.36, h * 0.84
    d.rectangle((left, top, right, ground), fill=(122, 74, 58))
    d.polygon([(left - 40, top), ((left + right) / 2, top - h * 0.17), (right + 40, top)], fill=(58, 40, 42))
    for row in range(2):
        for column in range(4):
            x, y = left + 75 + column * 200, top + 60 + row * 180
            colour = (255, 214, 130) if rng.random() < 0.6 else (46, 50, 66)
            d.rectangle((x, y, x + 96, y + 120), fill=colour, outline=CREAM, width=6)
    d.rectangle(((left + right) / 2 - 62, ground - 170, (left + right) / 2 + 62, ground), fill=(40, 66, 62))
    d.text(
        ((left + right) / 2, top + 20), "TELEPHONE EXCHANGE · 1931", font=font(40, bold=True), fill=CREAM, anchor="mm"
    )
    for x in (w * 0.07, w * 0.93):
        d.rectangle((x - 9, h * 0.2, x + 9, h * 0.9), fill=(64, 46, 36))
        d.rectangle((x - 90, h * 0.24, x + 90, h * 0.255), fill=(64, 46, 36))
    for offset in (-80, -30, 30, 80):
        wire = [
            (w * 0.07 + offset + t * (w * 0.86) / 30, h * 0.24 + 90 * math.sin(math.pi * t / 30)) for t in range(31)
        ]
        d.line(wire, fill=(20, 20, 26), width=3)


def letter(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """A handwritten page, a stamp and a coffee ring."""
    for row in range(13):
        y = h * 0.2 + row * h * 0.052
        x, end = w * 0.14, w * (0.86 if row % 5 != 4 else 0.5)
        while x < end:
            step = rng.randint(30, 90)
            wave = [(x + i, y + 9 * math.sin(i / 5 + rng.random())) for i in range(0, step, 4)]
            d.line(wave, fill=(44, 52, 96), width=4)
            x += step + 24
    d.rectangle((w * 0.78, h * 0.06, w * 0.9, h * 0.17), fill=RED, outline=CREAM, width=8)
    d.ellipse((w * 0.62, h * 0.7, w * 0.78, h * 0.94), outline=(150, 104, 66), width=14)


def cake(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """A cake in the shape of a dial."""
    d.rectangle((0, h * 0.7, w, h), fill=(206, 188, 158))
    cx, cy = w / 2, h * 0.55
    d.ellipse((cx - 420, cy - 120, cx + 420, cy + 220), fill=CREAM)
    d.rectangle((cx - 330, cy - 90, cx + 330, cy + 70), fill=(122, 74, 50))
    d.ellipse((cx - 330, cy - 30, cx + 330, cy + 170), fill=(122, 74, 50))
    d.ellipse((cx - 330, cy - 190, cx + 330, cy + 10), fill=(250, 226, 196))
    for digit in range(10):
        angle = math.radians(digit * 36)
        x, y = cx + 240 * math.cos(angle), cy - 90 + 66 * math.sin(angle)
        d.ellipse((x - 32, y - 16, x + 32, y + 16), fill=rng.choice([RED, (90, 60, 120), (60, 110, 80)]))


def cat(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """Relay, the cat of the house, on top of the switchboard."""
    d.rectangle((0, h * 0.72, w, h), fill=(70, 44, 30))
    for column in range(18):
        x = w * (0.05 + column * 0.053)
        d.ellipse((x - 20, h * 0.82, x + 20, h * 0.82 + 40), fill=BRASS)
    cx, base = w / 2, h * 0.73
    fur = (60, 56, 60)
    d.ellipse((cx - 300, base - 220, cx + 230, base + 20), fill=fur)
    d.ellipse((cx + 110, base - 330, cx + 350, base - 110), fill=fur)
    d.polygon([(cx + 140, base - 270), (cx + 160, base - 400), (cx + 230, base - 315)], fill=fur)
    d.polygon([(cx + 240, base - 318), (cx + 310, base - 400), (cx + 330, base - 270)], fill=fur)
    tail = [(cx - 280 - 60 * math.sin(t / 8), base - 40 - t * 6) for t in range(36)]
    d.line(tail, fill=fur, width=46, joint="curve")
    for x in (cx + 185, cx + 275):
        d.ellipse((x - 22, base - 250, x + 22, base - 206), fill=(226, 214, 96))
        d.ellipse((x - 7, base - 248, x + 7, base - 208), fill=DARK)
    d.polygon([(cx + 218, base - 190), (cx + 242, base - 190), (cx + 230, base - 174)], fill=(220, 150, 150))


def poster(title: str, lines: tuple[str, ...]) -> Painter:
    """A printed poster."""

    def paint(d: Draw, rng: random.Random, w: int, h: int) -> None:
        d.rectangle((w * 0.08, h * 0.07, w * 0.92, h * 0.93), outline=RED, width=14)
        d.text((w / 2, h * 0.24), title, font=font(88, bold=True), fill=RED, anchor="mm")
        for index, line in enumerate(lines):
            d.text((w / 2, h * (0.42 + index * 0.11)), line, font=font(50), fill=DARK, anchor="mm")

    return paint


def plan(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """A map of the lines of the valley."""
    spots = [(w * rng.uniform(0.08, 0.92), h * rng.uniform(0.1, 0.9)) for _ in range(26)]
    river = [(t * w / 30, h * (0.55 + 0.14 * math.sin(t / 4))) for t in range(31)]
    d.line(river, fill=(120, 166, 190), width=46, joint="curve")
    for index, (x, y) in enumerate(spots):
        near = min(spots[:index] or [(w / 2, h / 2)], key=lambda other: math.dist(other, (x, y)))
        d.line((x, y, *near), fill=RED, width=6)
    for index, (x, y) in enumerate(spots):
        d.ellipse((x - 16, y - 16, x + 16, y + 16), fill=DARK)
        d.text((x + 26, y - 22), str(100 + index * 7), font=font(34), fill=DARK)


def meter(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """An oscilloscope showing a ringing tone."""
    d.rounded_rectangle((w * 0.12, h * 0.1, w * 0.88, h * 0.9), 60, fill=(64, 68, 66))
    d.rounded_rectangle((w * 0.17, h * 0.17, w * 0.68, h * 0.83), 30, fill=(10, 34, 26))
    for step in range(1, 8):
        x = w * (0.17 + step * 0.51 / 8)
        d.line((x, h * 0.18, x, h * 0.82), fill=(26, 70, 52), width=3)
    wave = [
        (
            w * 0.17 + i * w * 0.51 / 400,
            h * 0.5 + h * 0.2 * math.sin(i / 6) * math.sin(i / 60) ** 2 * rng.uniform(0.97, 1),
        )
        for i in range(401)
    ]
    d.line(wave, fill=(120, 255, 170), width=7, joint="curve")
    for row in range(3):
        d.ellipse((w * 0.73, h * (0.2 + row * 0.22), w * 0.83, h * (0.2 + row * 0.22) + 120), fill=BRASS)


def rack(d: Draw, rng: random.Random, w: int, h: int) -> None:
    """Selector frames in long rows."""
    for row in range(5):
        y = h * (0.06 + row * 0.185)
        d.rectangle((w * 0.04, y, w * 0.96, y + h * 0.15), fill=(70, 76, 74))
        for column in range(20):
            x = w * (0.055 + column * 0.0455)
            tall = rng.uniform(0.5, 0.95)
            d.rectangle(
                (x, y + h * 0.15 * (1 - tall), x + 34, y + h * 0.145), fill=BRASS if rng.random() < 0.35 else DARK
            )
            d.ellipse(
                (x + 8, y + h * 0.1, x + 26, y + h * 0.1 + 18), fill=(216, 88, 60) if rng.random() < 0.2 else CREAM
            )


OPEN_NIGHT = (
    "The Old Exchange · Mill Lane 7",
    "Saturday, 14 September",
    "switchboard · stars · soup",
    "bring a number to call",
)
SOUP = ("lentil & lemon", "pumpkin, second helping free", "bread by Ines", "coffee by the cup or by the hour")
PLAQUE = ("Miss Adela Brandt, operator", "1931 – 1974", "“Number, please.”")

PICTURES: dict[str, tuple[Painter, tuple[Colour, Colour]]] = {
    "exchange-night": (house(120), NIGHT),
    "exchange-dusk": (house(30), DUSK),
    "exchange-day": (house(0), DAY),
    "panel": (panel, ROOM),
    "panel-cords": (panel, GREEN),
    "panel-night": (panel, NIGHT),
    "phone-black": (phone(DARK), DAY),
    "phone-red": (phone(RED), PAPER),
    "phone-green": (phone((54, 84, 70)), DUSK),
    "letter-beirut": (letter, PAPER),
    "letter-haifa": (letter, DAY),
    "letter-shiraz": (letter, PAPER),
    "cake": (cake, DAY),
    "relay": (cat, DUSK),
    "relay-night": (cat, NIGHT),
    "map": (plan, PAPER),
    "scope": (meter, ROOM),
    "rack": (rack, GREEN),
    "rack-clean": (rack, DAY),
    "poster": (poster("OPEN NIGHT", OPEN_NIGHT), PAPER),
    "menu": (poster("SOUP OF THE LINE", SOUP), PAPER),
    "plaque": (poster("LINE 117", PLAQUE), DAY),
}


def paint_pictures() -> None:
    """Draw the photos, 800 pixels wide, each with a thumbnail of 320 and a stripped preview."""
    stripped = {}
    for name, (painter, sky) in PICTURES.items():
        big = gradient(WIDE, HIGH, sky)
        painter(ImageDraw.Draw(big), random.Random(name), WIDE, HIGH)
        full = big.resize((WIDE * 5 // 8, HIGH * 5 // 8), Image.Resampling.LANCZOS)
        full.save(DATA / "photos" / f"{name}.jpg", quality=78, optimize=True)
        small = big.resize((320, 213), Image.Resampling.LANCZOS)
        small.save(DATA / "thumbs" / f"{name}.jpg", quality=60, optimize=True)
        stripped[name] = base64.b64encode(_stripped(big)).decode()
    (DATA / "thumbs" / "stripped.json").write_text(json.dumps(stripped, indent=1) + "\n")


def _stripped(image: Image.Image) -> bytes:
    """Return Telegram's stripped preview: a JPEG of 40 x 27 without end mark and header, which clients know."""
    tiny = image.resize((40, 27), Image.Resampling.LANCZOS)
    whole = io.BytesIO()
    tiny.save(whole, "JPEG", quality=20, subsampling="4:2:0")
    return bytes((1, tiny.height, tiny.width)) + whole.getvalue()[623:-2]


def sticker(name: str, draw: Callable[[Draw], None]) -> None:
    """A WebP of 512 x 512 with a clear background."""
    image = Image.new("RGBA", (1024, 1024), (0, 0, 0, 0))
    draw(ImageDraw.Draw(image))
    image.resize((512, 512), Image.Resampling.LANCZOS).save(DATA / "stickers" / f"{name}.webp", quality=80, method=6)


def paint_stickers() -> None:
    """A ringing bell, a sleeping cat, a line that is busy."""

    def bell(d: Draw) -> None:
        d.pieslice((212, 160, 812, 900), 180, 360, fill=BRASS)
        d.rectangle((212, 528, 812, 700), fill=BRASS)
        d.rounded_rectangle((150, 680, 874, 770), 45, fill=(178, 136, 60))
        d.ellipse((440, 760, 584, 904), fill=DARK)
        for x in (70, 900):
            d.arc((x - 60, 250, x + 110, 620), 100 if x < 500 else -80, 260 if x < 500 else 80, fill=RED, width=28)

    def busy(d: Draw) -> None:
        d.ellipse((100, 100, 924, 924), fill=CREAM, outline=RED, width=70)
        d.line((230, 230, 794, 794), fill=RED, width=70)
        d.text((512, 512), "BUSY", font=font(190, bold=True), fill=DARK, anchor="mm")

    def hello(d: Draw) -> None:
        d.rounded_rectangle((70, 160, 954, 740), 150, fill=(72, 130, 120))
        d.polygon([(250, 700), (240, 920), (460, 720)], fill=(72, 130, 120))
        d.text((512, 450), "Hello?", font=font(230, bold=True), fill=CREAM, anchor="mm")

    for name, draw in {"bell": bell, "busy": busy, "hello": hello}.items():
        sticker(name, draw)


def video(name: str, side: int, seconds: int, frame: Callable[[Draw, float], None], height: int = 0) -> None:
    """Write a short H.264 video without sound, with PyAV."""
    av = importlib.import_module("av")
    with av.open(str(DATA / "video" / f"{name}.mp4"), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = side, height or side, "yuv420p"
        stream.options = {"crf": "30", "preset": "veryslow", "threads": "1"}
        for step in range(seconds * 15):
            image = gradient(side, height or side, NIGHT)
            frame(ImageDraw.Draw(image), step / 15)
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def make_videos() -> None:
    """A round message (a dial that turns), an animation (lamps), a video (the wires at night)."""

    def dial(d: Draw, t: float) -> None:
        d.ellipse((20, 20, 220, 220), fill=CREAM)
        for digit in range(10):
            angle = math.radians(digit * 30 + 160 * abs(math.sin(t * 1.2)))
            x, y = 120 + 70 * math.cos(angle), 120 + 70 * math.sin(angle)
            d.ellipse((x - 15, y - 15, x + 15, y + 15), fill=DARK)
        d.ellipse((88, 88, 152, 152), fill=BRASS)

    def lamps(d: Draw, t: float) -> None:
        for index in range(12):
            on = int(t * 5) % 12 == index
            x, y = 40 + index % 4 * 80, 40 + index // 4 * 60
            d.ellipse((x - 22, y - 22, x + 22, y + 22), fill=(255, 220, 120) if on else (60, 50, 40))

    def wires(d: Draw, t: float) -> None:
        for wire in range(5):
            points = [(x, 60 + wire * 26 + 14 * math.sin(x / 60 + t * 2 + wire)) for x in range(0, 481, 8)]
            d.line(points, fill=CREAM, width=2)
        x = (t * 120) % 480
        d.ellipse((x - 6, 20, x + 6, 32), fill=(255, 220, 120))

    video("dial", 240, 3, dial)
    video("lamps", 320, 3, lamps, 200)
    video("wires", 480, 4, wires, 272)


def main() -> None:
    """Draw everything."""
    for folder in ("photos", "thumbs", "stickers", "video"):
        (DATA / folder).mkdir(parents=True, exist_ok=True)
    paint_pictures()
    paint_stickers()
    make_videos()


if __name__ == "__main__":
    main()
