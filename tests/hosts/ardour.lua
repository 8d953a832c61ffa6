-- A session with one mono track that plays a WAV through Statewave's VST3, for ardour7-export:
--
--     ardour7-lua ardour.lua FOLDER NAME WAV RATE SAMPLES [PRESET]
--
-- The track, the plugin and the wiring are made by Ardour itself. Its Lua knows no import, so that source, region and
-- range are written into the session's file afterwards, as a finished import would have left them.

local folder, name, wav, rate, samples = arg[1], arg[2], arg[3], tonumber(arg[4]), tonumber(arg[5])
local preset = arg[6] or ""

-- Ardour's unit of time, a second of which is whole at every usual rate.
local SUPERCLOCKS = 282240000
local length = ("a%d"):format(samples * (SUPERCLOCKS // rate))

local function copy(from, to)
	local source = assert(io.open(from, "rb"))
	local sink = assert(io.open(to, "wb"))
	sink:write(source:read("a"))
	source:close()
	sink:close()
end

AudioEngine:set_backend("None (Dummy)", "", "")
AudioEngine:set_sample_rate(rate)
local session = assert(create_session(folder, name, rate))
local tracks = session:new_audio_track(1, 2, nil, 1, "Voice", 0, ARDOUR.TrackMode.Normal, true)
local track = tracks:front()
local plugin = ARDOUR.LuaAPI.new_plugin(session, "Statewave", ARDOUR.PluginType.VST3, preset)
assert(not plugin:isnil(), "Ardour does not know the plugin: was it scanned?")
assert(track:add_processor_by_index(plugin, 0, nil, true) == 0, "the plugin cannot be inserted")
-- A panner of one channel takes 3 dB away; without it the voice is in both channels as it is.
track:panner_shell():set_bypassed(true)
print("latency " .. plugin:to_insert():signal_latency())
session:save_state("")
close_session()

copy(wav, ("%s/interchange/%s/audiofiles/voice.wav"):format(folder, name))
local path = ("%s/%s.ardour"):format(folder, name)
local file = assert(io.open(path))
local text = file:read("a")
file:close()
local function put(pattern, new)
	local found
	text, found = text:gsub(pattern, function(...) return (new:gsub("%%(%d)", { ["1"] = ... })) end, 1)
	assert(found == 1, "the session's file has no " .. pattern)
end
put("<Sources/>", '<Sources><Source name="voice.wav" id="9001" type="audio" flags="" take-id="" '
	.. 'natural-position="a0" channel="0" origin="" gain="1"/></Sources>')
put("<Locations/>", '<Locations><Location id="9002" name="session" start="a0" end="' .. length
	.. '" flags="IsSessionRange" locked="0" cue="0"/></Locations>')
put('(<Playlist id="%d+" name="Voice"[^>]-)/>', '%1><Region name="voice" id="9003" type="audio" start="a0" length="'
	.. length .. '@a0" muted="0" opaque="1" locked="0" automatic="0" whole-file="0" import="0" external="0" '
	.. 'sync-marked="0" position-locked="0" valid-transients="0" hidden="0" first-edit="nothing" layering-index="0" '
	.. 'default-fade-in="0" default-fade-out="0" fade-in-active="0" fade-out-active="0" scale-amplitude="1" '
	.. 'channels="1" source-0="9001" master-source-0="9001"/></Playlist>')
file = assert(io.open(path, "w"))
file:write(text)
file:close()
