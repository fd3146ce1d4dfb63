"""Pillow plugins of our own, for file types that Pillow reads wrongly, only in part or not at all.

A module defines one subclass of `PIL.ImageFile.ImageFile` and registers it under the name that the table of source
types gives as its decoder. It reads nothing but the opened file, and runs in the sandbox only. `_open` reads the
header: size, mode and metadata, no pixels. `load` decodes; its result has a mode that `color.to_eight_bits` knows.

Both may raise `errors.Unsupported`, and whatever `decoder_errors.DECODER_ERRORS` lists for a broken file. They say
more by these keys of `info`, besides those of Pillow such as `icc_profile`, `exif`, `duration` and `loop`:

- `missing`: the share of the rows, 0 to 1, that a file which is cut off does not have; 0 if only its end is missing,
  and not set at all if the file is not cut off;
- `missing_band`: the share of the rows that are decoded together, so that `missing` is no more exact than that;
- `missing_detail`: the share of the detail, 0 to 1, that is missing if a coarse image of all rows is there;
- `warnings`: a list of sentences for the client on what else was lost;
- `cicp`: the color space by the four numbers of ITU-T H.273: primaries, transfer, matrix, full range.
- `source_color`: the `color.SourceColor` that is left to do, if the decoder has dealt with the colors itself.
"""
