#!/usr/bin/env bash
# Ardour without a screen or a sound device: what it exports of a track with the VST3 is what `statewave render` makes.
#
#     tests/hosts/ardour.sh out/Statewave.vst3 target/release/statewave
#
# Before an export Ardour lets the plugin hear silence for as long as loading takes, and the model remembers how long.
# So the length of that silence is searched for, in whole blocks of 32 samples; with the right one, both are the same.
#
# Needs Debian's ardour (7) and sox. Settings and session lie in a folder of their own, which is removed at the end.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bundle=$(realpath "$1") statewave=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
cd "$work"
hop=320 clip=36000

# WAVs of 32 bits float, as Ardour writes; their header is not what sox would like.
sox() { command sox -V1 "$@"; }
# Level (of "Pk" or "RMS") of the difference of two files' first channels, dB of full scale.
difference() {
    sox "$2" a.wav remix 1
    sox "$3" b.wav remix 1
    sox -m -v 1 a.wav -v -1 b.wav -n stats 2>&1 | awk -v kind="$1" '$1 == kind && $2 == "lev" { print $4 == "-inf" ? -999 : $4 }'
}
# `statewave render` of the voice after so many samples of silence, without them, into expected.wav.
expect() {
    sox voice.wav lead.wav pad "${1}s"
    "$statewave" render lead.wav -o cleaned.wav --force > log
    sox cleaned.wav expected.wav trim "${1}s"
}
# Of the silences given, that after which the start of the voice comes out nearest to the export.
nearest() {
    rm -rf leads cleaned
    mkdir leads
    for silence in "$@"; do sox voice.wav "leads/$silence.wav" trim 0 $((clip + 4000))s pad "${silence}s"; done
    "$statewave" render leads -o cleaned > log
    for silence in "$@"; do
        sox "cleaned/$silence.wav" start.wav trim "${silence}s" "${clip}s"
        echo "$(difference RMS start.wav export-start.wav) $silence"
    done | sort -g | awk 'NR == 1 { print $2 }'
}

mkdir -p "$HOME/.vst3"
cp -r "$bundle" "$HOME/.vst3/Statewave.vst3"
# Ardour takes a scan for stale that was made in the second in which the plugin was written.
find "$HOME/.vst3" -exec touch --date '1 minute ago' {} +
LD_LIBRARY_PATH=/usr/lib/ardour7 /usr/lib/ardour7/ardour-vst3-scanner -f "$HOME/.vst3/Statewave.vst3" > log
sox "$here/../../assets/samples/noisy_voice.flac" -e floating-point -b 32 voice.wav
samples=$(soxi -s voice.wav) rate=$(soxi -r voice.wav)
ardour7-lua "$here/ardour.lua" "$work/session" session voice.wav "$rate" "$samples" 2> log
ardour7-export --bitdepth float --samplerate "$rate" --output "$work/export.wav" "$work/session" session > log 2>&1
echo "$samples samples in, $(command soxi -V1 -s export.wav) out"
sox export.wav export-start.wav trim 0 "${clip}s"

silence=$(nearest $(for hops in 50 150 300 450 600 900; do seq $((hops * hop)) 32 $((hops * hop + hop - 32)); done))
for hops in 40 8 1; do
    low=$((silence - 12 * hops * hop))
    while [ "$low" -lt 0 ]; do low=$((low + hops * hop)); done
    silence=$(nearest $(seq "$low" $((hops * hop)) $((silence + 12 * hops * hop))))
done
expect "$silence"
cleaned=$(difference Pk export.wav voice.wav)
fault=$(difference Pk export.wav expected.wav)
echo "peak of export - input:                                       $cleaned dB"
echo "peak of export - statewave render after $silence of silence: $fault dB"
awk -v cleaned="$cleaned" -v fault="$fault" 'BEGIN { exit !(cleaned > -40 && fault < -100) }'
