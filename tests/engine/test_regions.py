"""Focal points in the files themselves: regions as ExifTool writes them, and hostile packets."""

import codecs
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from imageconverter.engine import Target
from imageconverter.engine.metadata.regions import focal_point
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert
from tests.testing import image_files

# By ExifTool 12.57, without the padding.
AREA = """     <rdf:li rdf:parseType='Resource'>
      <mwg-rs:Area rdf:parseType='Resource'>
       <stArea:h>{h}</stArea:h>
       <stArea:unit>normalized</stArea:unit>
       <stArea:w>{w}</stArea:w>
       <stArea:x>{x}</stArea:x>
       <stArea:y>{y}</stArea:y>
      </mwg-rs:Area>
      <mwg-rs:Type>{kind}</mwg-rs:Type>
     </rdf:li>
"""
PACKET = """<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='Image::ExifTool 12.57'>
<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>

 <rdf:Description rdf:about=''
  xmlns:mwg-rs='http://www.metadataworkinggroup.com/schemas/regions/'
  xmlns:stArea='http://ns.adobe.com/xmp/sType/Area#'
  xmlns:stDim='http://ns.adobe.com/xap/1.0/sType/Dimensions#'>
  <mwg-rs:Regions rdf:parseType='Resource'>
   <mwg-rs:AppliedToDimensions rdf:parseType='Resource'>
    <stDim:h>200</stDim:h>
    <stDim:unit>pixel</stDim:unit>
    <stDim:w>400</stDim:w>
   </mwg-rs:AppliedToDimensions>
   <mwg-rs:RegionList>
    <rdf:Bag>
{areas}    </rdf:Bag>
   </mwg-rs:RegionList>
  </mwg-rs:Regions>
 </rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end='w'?>"""
# The other notation of RDF, with attributes, as the specification has it in its example.
ATTRIBUTES = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#">
<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="4288" stDim:h="2144" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="John Doe" mwg-rs:Type="Face">
<mwg-rs:Area stArea:x="0.275" stArea:y="0.164" stArea:w="0.060" stArea:h="0.090" stArea:unit="normalized"/>
</rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"""
SIZE = (400, 200)


def packet(*areas: tuple[str, object, object, object, object]) -> bytes:
    """Return a packet with regions: type, x, y, width and height."""
    written = "".join(AREA.format(kind=kind, x=x, y=y, w=w, h=h) for kind, x, y, w, h in areas)
    return PACKET.format(areas=written).encode()


@pytest.mark.parametrize(
    ("areas", "point"),
    [
        ([("Face", 0.25, 0.5, 0.1, 0.2)], (0.25, 0.5)),
        ([("Face", 0.25, 0.5, 0.1, 0.2), ("Pet", 0.45, 0.3, 0.1, 0.2)], (0.35, 0.4)),
        ([("Face", 0.25, 0.5, 0.1, 0.2), ("Focus", 0.9, 0.8, 0.1, 0.1), ("Focus", 0, 0, 0, 0)], (0.9, 0.8)),
        ([("Face", 0, 0, 0.5, 0)], (0, 0)),
        ([("BarCode", 0.5, 0.5, 0.1, 0.1)], None),
        ([("Face", 1.5, 0.5, 0.1, 0.1), ("Face", 0.2, 0.2, 0, 0)], (0.2, 0.2)),
        ([("Face", "nan", 0.5, 0.1, 0.1), ("Face", "x", 0.5, 0.1, 0.1), ("Face", 0.5, -1, 0, 0)], None),
        ([], None),
    ],
)
def test_the_regions_of_a_packet_are_read(areas: list[tuple[str, float, float, float, float]], point: object) -> None:
    """The one in focus, or else the middle of all faces."""
    assert focal_point(packet(*areas), SIZE) == (None if point is None else pytest.approx(point))


def test_attributes_are_read_too() -> None:
    """Not only elements."""
    assert focal_point(ATTRIBUTES.encode(), SIZE) == pytest.approx((0.275, 0.164))


def test_regions_of_an_image_of_other_proportions_do_not_count() -> None:
    """It was cut, or turned, by a program that does not know them."""
    assert focal_point(packet(("Face", 0.25, 0.5, 0.1, 0.2)), (200, 400)) is None
    assert focal_point(packet(("Face", 0.25, 0.5, 0.1, 0.2)), (4000, 2010)) is not None


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\0" * 100,
        b"<a>" * 1000,
        packet(("Face", 0.25, 0.5, 0.1, 0.2))[:-300],
        packet(*[("Face", 0.25, 0.5, 0.1, 0.2)] * 200),
        packet(("Face", 0.25, 0.5, 0.1, 0.2)) + b" " * 2**16,
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + ATTRIBUTES.encode(),
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + ATTRIBUTES.encode(),
        ATTRIBUTES.replace("0.275", "&x;").encode(),
        ATTRIBUTES.replace("4288", "1e999").encode(),
        ATTRIBUTES.replace("4288", "0").encode(),
    ],
)
def test_hostile_packets_say_nothing(hostile: bytes) -> None:
    """And raise no error."""
    assert focal_point(hostile, SIZE) is None


def test_the_encoding_that_a_packet_declares_is_not_looked_for() -> None:
    """Python would look for a module of that name, for which the sandbox has no system call. Packets are in UTF-8."""
    searched: list[str] = []
    codecs.register(searched.append)
    try:
        found = focal_point(b'<?xml version="1.0" encoding="x-no-such-1"?>' + ATTRIBUTES.encode(), SIZE)
    finally:
        codecs.unregister(searched.append)

    assert found == pytest.approx((0.275, 0.164))
    assert not searched


def test_random_changes_are_harmless() -> None:
    """Each byte of a packet in turn."""
    good = ATTRIBUTES.encode()
    for position in range(0, len(good), 7):
        point = focal_point(good[:position] + b"\xff<"[position % 2 :][:1] + good[position + 1 :], SIZE)
        assert point is None or (0 <= point[0] <= 1 and 0 <= point[1] <= 1)


def _columns() -> Image.Image:
    image = Image.new("RGB", SIZE, "#00ff00")
    image.paste("#ff0000", (0, 0, 130, 200))
    image.paste("#0000ff", (270, 0, 400, 200))
    return image


def _color(data: bytes, target: Target) -> object:
    (made,) = convert(io.BytesIO(data), [target])
    assert isinstance(made, Converted)
    image = Image.open(io.BytesIO(made.data)).convert("RGB")
    pixel = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(255 * (level > 128) for level in pixel)


CROP = Target(max_width=50, max_height=50, fit="crop", output="png")


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_a_crop_keeps_the_point_of_the_file(kind: str) -> None:
    """Unless another one is set for the source, or the target does not follow such points."""
    _columns().save(buffer := io.BytesIO(), kind, xmp=packet(("Face", 0.1, 0.5, 0.1, 0.2)), quality=90)
    data = buffer.getvalue()
    own = CROP.model_copy(update={"focal_point": False})

    if kind != "AVIF":  # whose decoder turns the image
        assert _color(data, CROP) == (255, 0, 0)
    assert _color(data, CROP.aimed_at((1, 0))) == (0, 0, 255)
    assert _color(data, own) == (0, 255, 0)


def test_the_point_is_in_the_axes_of_the_stored_image() -> None:
    """So it turns with it, as the regions of cameras and of digiKam do."""
    exif = Image.Exif()
    exif[0x0112] = 3
    _columns().save(buffer := io.BytesIO(), "JPEG", xmp=packet(("Face", 0.1, 0.5, 0.1, 0.2)), exif=exif)

    assert _color(buffer.getvalue(), CROP) == (255, 0, 0)
    assert _color(buffer.getvalue(), CROP.model_copy(update={"auto_rotate": False})) == (255, 0, 0)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed")
def test_what_exiftool_writes_is_read(tmp_path: Path) -> None:
    """The whole packet, with its padding."""
    file = tmp_path / "a.jpg"
    file.write_bytes(image_files.jpeg(image=_columns()))
    region = "RegionList=[{Area={X=0.9,Y=0.5,W=0.1,H=0.2,Unit=normalized},Type=Face}]"
    written = f"-RegionInfo={{AppliedToDimensions={{W=400,H=200,Unit=pixel}},{region}}}"
    subprocess.run(["exiftool", "-q", "-overwrite_original", written, file], check=True)

    assert _color(file.read_bytes(), CROP) == (0, 0, 255)
