"""Small pictures made byte by byte, good and hostile, and the form they travel in. Standard library only."""
import struct
import zlib

SCRIPT = b"<script>alert(document.domain)</script>"


def form(data, field="imageFile", filename="x.png", content_type="image/png", copies=1, boundary="cut-here"):
    part = (f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n").encode() + data + b"\r\n"
    return part * copies + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def chunk(kind, body=b""):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def ihdr(width, height, depth=8, colour=2):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(width=1, height=1, extra=b"", seed=0):
    pixels = b"".join(b"\0" + bytes((x * 7 + y * 13 + seed) & 255 for x in range(width * 3)) for y in range(height))
    return PNG_MAGIC + ihdr(width, height) + extra + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND")


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(extra=b"", width=8, height=8):
    """One grey block: a whole baseline JPEG, tables and all."""
    bits, values = bytes([0, 1] + [0] * 14), b"\0"
    return (b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + extra + segment(0xDB, b"\0" + b"\1" * 64)
            + segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0") + segment(0xC4, b"\0" + bits + values)
            + segment(0xC4, b"\x10" + bits + values) + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x3f" + b"\xff\xd9")


def gif(extra=b"", width=1, height=1):
    return (b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + extra
            + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\0" + b";")


def riff(kind, body):
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp(chunks):
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def vp8l(width=1, height=1):
    return riff(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\x88\x88\x08")


def vp8x(flags, width, height):
    return riff(b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3])


def exif(body):
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x0f\0\x02" + struct.pack(">I", len(body)) + b"\0\0\0\x1a\0\0\0\0" + body


def hostile():
    """name -> (bytes, accepted): what is accepted must come out without its sting."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    html = b"<!DOCTYPE html><html>" + SCRIPT + b"</html>"
    php = b"<?php system($_GET['c']); ?>"
    archive = b"PK\x03\x04" + b"\0" * 26 + b"payload.html" + SCRIPT + b"PK\x05\x06" + b"\0" * 18
    good = {"png": png(), "jpeg": jpeg(), "gif": gif(), "webp": webp(vp8l())}
    files = {
        "nothing": (b"", False), "one byte": (b"\x89", False), "spaces": (b" " * 1000, False), "svg": (svg, False),
        "svg with a declaration": (b'<?xml version="1.0"?>' + svg, False), "svg behind a byte order mark": (b"\xef\xbb\xbf" + svg, False), "html": (html, False),
        "script": (b"alert(1)//", False), "php": (php, False), "pdf": (b"%PDF-1.7\n" + SCRIPT, False), "zip": (archive, False), "elf": (b"\x7fELF" + b"\0" * 60, False),
        "windows program": (b"MZ" + b"\0" * 60, False), "bmp": (b"BM" + b"\0" * 60, False), "tiff": (b"II*\0" + b"\0" * 60, False),
        "avif": (b"\0\0\0\x20ftypavif" + b"\0" * 20, False), "icon": (b"\0\0\1\0\1\0" + b"\0" * 20, False), "flash": (b"CWS\x09" + b"\0" * 20, False),
        "space before a png": (b" " + good["png"], False), "html before a jpeg": (html + good["jpeg"], False),
        "html behind a gif's magic": (b"GIF89a" + html, False), "script behind a gif's magic": (b"GIF89a/*" + b"\0" * 4 + b"*/=1;alert(1);//", False),
        "html behind a jpeg's magic": (b"\xff\xd8\xff\xe0" + html, False), "php behind a jpeg's magic": (b"\xff\xd8\xff\xe0" + php + b"\xff\xd9", False),
        "html behind a png's magic": (PNG_MAGIC + html, False), "html behind a webp's magic": (b"RIFF\xff\xff\0\0WEBP" + html, False),
        "svg in a webp": (webp(riff(b"VP8X", svg)), False), "bare magic of png": (PNG_MAGIC, False), "bare magic of jpeg": (b"\xff\xd8\xff", False),
        "bomb of png": (png(extra=b"").replace(ihdr(1, 1), ihdr(50_000, 50_000)), False), "widest png": (good["png"].replace(ihdr(1, 1), ihdr(2**31 - 1, 2**31 - 1)), False),
        "bomb of jpeg": (jpeg(width=50_000, height=50_000), False), "bomb of gif": (gif(width=50_000, height=50_000), False),
        "bomb of webp": (webp(vp8l(16_384, 16_384)), False), "canvas bomb of webp": (webp(vp8x(0, 2**24, 2**24) + vp8l()), False),
        "frame bomb of gif": (gif(extra=b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x44\x01\0"), False),
        "png of no width": (good["png"].replace(ihdr(1, 1), ihdr(0, 1)), False), "gif of no height": (gif(height=0), False), "jpeg of no height": (jpeg(height=0), False),
        "png without pixels": (PNG_MAGIC + ihdr(1, 1) + chunk(b"IEND"), False), "png with a wrong sum": (good["png"][:-16] + b"\0\0\0\0" + good["png"][-12:], False),
        "png of two headers": (PNG_MAGIC + ihdr(1, 1) + good["png"][8:], False), "png with a foreign critical chunk": (png(extra=chunk(b"EVIL", SCRIPT)), False),
        "jpeg without a frame": (b"\xff\xd8" + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x3f\xff\xd9", False),
        "png claiming 4 GiB": (PNG_MAGIC + ihdr(1, 1) + b"\xff\xff\xff\xffIDAT", False), "webp claiming 4 GiB": (b"RIFF\xff\xff\xff\xffWEBPVP8L\xff\xff\xff\xff", False),
    }
    for kind, whole in good.items():
        files[f"half of a {kind}"] = (whole[: len(whole) // 2], False)
        files[f"{kind} without its last byte"] = (whole[:-1], False)
        files[f"{kind} with an archive behind it"] = (whole + archive, True)
    files["png with a page in a text"] = (png(extra=chunk(b"tEXt", b"Comment\0" + html) + chunk(b"iTXt", html)), True)
    files["jpeg with a page in a comment"] = (jpeg(segment(0xFE, html)), True)
    files["jpeg with a script in its EXIF"] = (jpeg(segment(0xE1, exif(SCRIPT + php))), True)
    files["jpeg with XMP"] = (jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + html)), True)
    files["gif with a page in a comment"] = (gif(b"!\xfe" + bytes([len(html)]) + html + b"\0"), True)
    files["gif with a foreign extension"] = (gif(b"!\xff\x0bEVIL CODE01" + bytes([len(html)]) + html + b"\0"), True)
    files["webp with EXIF and XMP"] = (webp(vp8x(0x0C, 1, 1) + vp8l() + riff(b"EXIF", html) + riff(b"XMP ", html)), True)
    files["webp with a foreign chunk"] = (webp(vp8l() + riff(b"EVIL", html)), True)
    return files
