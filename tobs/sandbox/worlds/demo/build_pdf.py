"""Writes the PDF of the demo world without a library: two pages, each an object and a content stream.

python -m tobs.sandbox.worlds.demo.build_pdf
"""

from __future__ import annotations

from pathlib import Path

FLOOR = [
    (60, 420, 220, 300, "Night room"),
    (290, 420, 250, 300, "Manual board, 1931"),
    (60, 120, 480, 280, "Selector hall, 1952 (racks A to F)"),
]
STEPS = [
    "The repair plan of Mill Lane 7",
    "",
    "March      clean all relays of racks A and B",
    "April      rack C; the four attic phones; first party line",
    "May        the roof. Open day. Soup.",
    "June       rack D; walk the trunk line",
    "August     rack E; chairs",
    "September  open night",
    "Winter     the cellar; a second pair of cords; sleep",
    "",
    "What is left over at the end goes into a box marked Lines.",
]


def pdf(pages: list[str]) -> bytes:
    """Make a PDF 1.4 of A4 pages, each given as a content stream, in Helvetica."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for index, content in enumerate(pages):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            f"/Contents {5 + 2 * index} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    body = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    offsets = []
    for number, item in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{item}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return body + f"{tail}startxref\n{len(body)}\n%%EOF\n".encode()


def floor_plan() -> str:
    """Draw the rooms as rectangles with their names."""
    parts = ["BT /F 18 Tf 60 770 Td (The Old Exchange, Mill Lane 7: ground floor) Tj ET", "1.5 w"]
    for x, y, width, height, name in FLOOR:
        parts.append(f"{x} {y} {width} {height} re S")
        parts.append(f"BT /F 12 Tf {x + 12} {y + 16} Td ({name.replace('(', '[').replace(')', ']')}) Tj ET")
    return "\n".join(parts)


def steps() -> str:
    """Write the timetable of the repairs."""
    lines = [f"({line}) Tj T*" for line in STEPS]
    return "BT /F 13 Tf 22 TL 60 770 Td\n" + "\n".join(lines) + "\nET"


def main() -> None:
    """Write the PDF into ``data/``."""
    (Path(__file__).parent / "data" / "files" / "relay-plan.pdf").write_bytes(pdf([floor_plan(), steps()]))


if __name__ == "__main__":
    main()
