"""The bundle's instrument for hosts that cannot be told which plugin of a bundle they are to take, and its notes for the program."""
import json
import shutil
import struct
from pathlib import Path

CLASS = b"StatewaveInstrum"


def instrument_only(bundle, folder):
    """A copy of the VST3 that names the instrument alone, by Steinberg's moduleinfo.json."""
    copy = Path(folder) / Path(bundle).name
    shutil.copytree(bundle, copy)
    one = {
        "CID": CLASS.hex().upper(), "Category": "Audio Module Class", "Name": "Statewave Instrument", "Vendor": "Statewave",
        "Version": "", "SDKVersion": "VST 3.7", "Sub Categories": ["Instrument"], "Class Flags": 0,
        "Cardinality": 0x7FFFFFFF, "Snapshots": [],
    }
    flags = {"Unicode": True, "Classes Discardable": False, "Component Non Discardable": False}
    info = {
        "Name": "Statewave", "Version": "", "Classes": [one],
        "Factory Info": {"Vendor": "Statewave", "URL": "", "E-Mail": "", "Flags": flags},
    }
    place = copy / "Contents" / "Resources" / "moduleinfo.json"
    place.parent.mkdir(exist_ok=True)
    place.write_text(json.dumps(info))
    return copy


def _length(ticks):
    """A number as MIDI files have their times: seven bits a byte, the highest bit on all but the last."""
    rest = [ticks & 0x7F]
    while ticks := ticks >> 7:
        rest.insert(0, ticks & 0x7F | 0x80)
    return bytes(rest)


def score(path, rate, notes):
    """A MIDI file whose ticks are samples; notes are (first sample, sample behind the last, key, velocity). Returns the path."""
    events = [(on, bytes([0x90, key, velocity])) for on, _, key, velocity in notes]
    events += [(off, bytes([0x80, key, 0])) for _, off, key, _ in notes]
    # Two quarter notes a second, which is a MIDI file's own tempo.
    track, now = b"", 0
    for at, event in sorted(events):
        track += _length(at - now) + event
        now = at
    track += b"\x00\xff\x2f\x00"
    path.write_bytes(struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, rate // 2, b"MTrk", len(track)) + track)
    return path
