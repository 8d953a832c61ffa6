#!/usr/bin/env bash
# Ardour without a screen or a sound device: what it exports of a track with the VST3 is what `statewave render` makes.
#
#     tests/hosts/ardour.sh out/Statewave.vst3 target/release/statewave
#
# A denoiser, a device, and what waits to go on. Before an export Ardour lets the plugin hear silence for as
# long as loading takes, and the model remembers how long. So the length of that silence is searched for, in whole blocks of 32
# samples; with the right one, both are the same.
#
# Needs Debian's ardour (7), sox and python3. Settings and session lie in a folder of their own, which is removed at the end.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bundle=$(realpath "$1") statewave=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
cd "$work"
hop=320 clip=36000
# Where Ardour looks for the presets of a vendor's plugin.
presets=$HOME/.vst3/presets/Statewave/Statewave

# WAVs of 32 bits float, as Ardour writes; their header is not what sox would like.
sox() { command sox -V1 "$@"; }
# Level (of "Pk" or "RMS") of the difference of two files' first channels, dB of full scale.
difference() {
    sox "$2" a.wav remix 1
    sox "$3" b.wav remix 1
    sox -m -v 1 a.wav -v -1 b.wav -n stats 2>&1 | awk -v kind="$1" '$1 == kind && $2 == "lev" { print $4 == "-inf" ? -999 : $4 }'
}
# Runs one of Ardour's programs, again where it ends by the signal named, of that number. On a busy machine both do so at times without any plugin
# in the session: the session's maker by SIGSEGV, and the export by SIGABRT, as it frees a channel twice (PortExportChannel). Any
# other end is a fault, and so is the same one four times.
patiently() {
    local number=$1 try ended
    shift
    for try in 1 2 3 4; do
        ended=0
        "$@" > log 2>&1 || ended=$?
        [ "$ended" = $((128 + number)) ] || break
        echo "$1 ended by signal $number, try $try"
    done
    [ "$ended" = 0 ] || tail -n 5 log >&2
    return "$ended"
}
# A track with the plugin, as the preset of that name has it if there is one, exported to a file of that name.
play() {
    local session=$work/$1
    make_session() {
        rm -rf "$session"
        ardour7-lua "$here/ardour.lua" "$session" "$1" voice.wav "$rate" "$samples" "$([ -e "$presets/$1.vstpreset" ] && echo "$1")"
    }
    patiently 11 make_session "$1"
    grep latency log
    patiently 6 ardour7-export --bitdepth float --samplerate "$rate" --output "$session.wav" "$session" "$1"
    echo "$samples samples in, $(command soxi -V1 -s "$1.wav") out"
}
# Of the silences given, that after which `statewave render` with the options makes of the start of the voice what is nearest to
# the export named first.
nearest() {
    local export=$1
    shift
    sox "$export.wav" export-start.wav trim 0 "${clip}s"
    rm -rf leads cleaned
    mkdir leads
    for silence in "$@"; do sox voice.wav "leads/$silence.wav" trim 0 $((clip + 4000))s pad "${silence}s"; done
    "$statewave" render leads -o cleaned "${options[@]}" > log
    for silence in "$@"; do
        sox "cleaned/$silence.wav" start.wav trim "${silence}s" "${clip}s"
        echo "$(difference RMS start.wav export-start.wav) $silence"
    done | sort -g | awk 'NR == 1 { print $2 }'
}
# The silence looked for nearer and nearer to the one there is, by steps of so many samples.
refine() {
    local export=$1 step low
    shift
    for step in "$@"; do
        low=$((silence - 12 * step))
        while [ "$low" -lt 0 ]; do low=$((low + step)); done
        silence=$(nearest "$export" $(seq "$low" "$step" $((silence + 12 * step))))
    done
}
# The whole export is what is rendered after the silence.
compare() {
    sox voice.wav lead.wav pad "${silence}s"
    "$statewave" render lead.wav -o played.wav --force "${options[@]}" > log
    sox played.wav expected.wav trim "${silence}s"
    local changed fault
    changed=$(difference Pk "$1.wav" voice.wav) fault=$(difference Pk "$1.wav" expected.wav)
    echo "peak of export - input, $1: $changed dB"
    echo "peak of export - statewave render after $silence of silence: $fault dB"
    awk -v changed="$changed" -v fault="$fault" 'BEGIN { exit !(changed > -40 && fault < -100) }'
}

mkdir -p "$HOME/.vst3"
cp -r "$bundle" "$HOME/.vst3/Statewave.vst3"
# Ardour takes a scan for stale that was made in the second in which the plugin was written.
find "$HOME/.vst3" -exec touch --date '1 minute ago' {} +
LD_LIBRARY_PATH=/usr/lib/ardour7 /usr/lib/ardour7/ardour-vst3-scanner -f "$HOME/.vst3/Statewave.vst3" > log
sox "$here/../../assets/samples/noisy_voice.flac" -e floating-point -b 32 voice.wav
samples=$(soxi -s voice.wav) rate=$(soxi -r voice.wav)
mkdir -p "$presets"
python3 "$here/preset.py" "$presets/waiting.vstpreset" continue-drums
python3 "$here/preset.py" "$presets/drive.vstpreset" tone-drive knob1=0.75 knob2=0.25

# What waits to go on is its input, with the latency made good.
play waiting
fault=$(difference Pk waiting.wav voice.wav)
echo "peak of export - input, waiting: $fault dB"
[ "$fault" = -999 ]

play drive
options=(--model tone-drive --knob drive=0.75 --knob tone=0.25)
silence=$(nearest drive $(seq 0 16000 480000))
refine drive 2048 256 32
compare drive

play denoiser
options=()
silence=$(nearest denoiser $(for hops in 50 150 300 450 600 900; do seq $((hops * hop)) 32 $((hops * hop + hop - 32)); done))
refine denoiser $((40 * hop)) $((8 * hop)) "$hop"
compare denoiser
