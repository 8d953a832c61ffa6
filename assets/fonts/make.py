"""Cuts Inter down to what the panel shows, with digits of one width so that numbers do not dance.

Run: python3 assets/fonts/make.py /usr/share/fonts/opentype/inter/Inter-Medium.otf (Debian: fonts-inter, fonttools)
"""

import pathlib
import sys

from fontTools import subset, ttLib

font = ttLib.TTFont(sys.argv[1])
gsub = font["GSUB"].table
tabular = {}
for record in gsub.FeatureList.FeatureRecord:
    if record.FeatureTag == "tnum":
        for index in record.Feature.LookupListIndex:
            for table in gsub.LookupList.Lookup[index].SubTable:
                tabular.update(getattr(table, "ExtSubTable", table).mapping)
for table in font["cmap"].tables:
    for code in range(ord("0"), ord("9") + 1):
        if code in table.cmap:
            table.cmap[code] = tabular.get(table.cmap[code], table.cmap[code])
options = subset.Options(layout_features=["kern"], hinting=False, notdef_outline=True)
cut = subset.Subsetter(options)
arrows_and_signs = [0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2248, 0x2264, 0x2265, 0x221E, 0x25CF, 0x2713, 0xFFFD]
ranges = [range(0x20, 0x250), range(0x370, 0x400), range(0x400, 0x460), range(0x2010, 0x2040), arrows_and_signs]
cut.populate(unicodes=[code for codes in ranges for code in codes])
cut.subset(font)
font.save(pathlib.Path(__file__).parent / "Inter-Medium-subset.otf")
