// The files of a simulated vehicle: a lamp board and a thermostat on one bus, by the messages that their module types name. Small, since a node reads them at each start.
// A wish whose frame was lost with its process stands until its time to live has passed; it is short, so that a run sees the end of it.

const DATABASE = `VERSION ""
NS_ :
BS_:
BU_: Torrent Therma Headwaters
BO_ 21 TorrentBrightness0: 2 Vector__XXX
 SG_ ChannelIndex : 7|8@0+ (1,0) [0|7] "" Torrent
 SG_ BrightnessLevel : 15|8@0+ (1,0) [0|255] "" Torrent
BO_ 27 TorrentStatus0: 8 Torrent
 SG_ Output1Value : 7|8@0+ (1,0) [0|255] "" Headwaters
 SG_ Output2Value : 15|8@0+ (1,0) [0|255] "" Headwaters
BO_ 63 ThermaDesiredTemperature: 3 Therma
 SG_ SetpointDeciC : 7|16@0- (0.1,0) [-40|125] "degC" Headwaters
 SG_ ThresholdDeciC : 23|8@0+ (0.1,0) [0.1|5] "degC" Headwaters
BO_ 64 ThermaStatus: 6 Therma
 SG_ ThermaMode : 7|8@0+ (1,0) [0|2] "" Headwaters
 SG_ CurrentDeciC : 15|16@0- (0.1,0) [-40|125] "degC" Headwaters
 SG_ HeatRelayFb : 31|8@0+ (1,0) [0|1] "" Headwaters
 SG_ CoolRelayFb : 39|8@0+ (1,0) [0|1] "" Headwaters
 SG_ FaultBitmask : 47|8@0+ (1,0) [0|255] "" Headwaters
BO_ 65 ThermaSetDesiredRequest: 2 Vector__XXX
 SG_ RequestedSetpointDeciC : 7|16@0- (0.1,0) [-40|125] "degC" Therma
`;

const MODEL = `model: van
version: 1
buses:
  can0: { dbc: van.dbc, bitrate: 500000, mode: normal, max_tx: 50/s }
modules:
  torrent-0: { use: trailcurrent/torrent, bus: can0, address: 0, outputs: { 1: cabin, 2: step } }
  therma: { use: trailcurrent/therma, bus: can0 }
signals:
  Cabin.Temperature: { from: can0.ThermaStatus.CurrentDeciC, unit: degC }
commands:
  light.set: { to: torrent-0, deadline: 500ms, ttl: 10s, when_away: refuse }
  climate.setpoint.request: { to: therma, deadline: 3s, ttl: 15s, when_away: wait }
telemetry:
  state: { at_most: 1s, on_change: ["*"] }
`;

/** By path. @param vehicle address of its entity */
export function filesOf(vehicle: string): ReadonlyMap<string, string> {
  return new Map([
    ["van.dbc", DATABASE],
    ["van.yaml", MODEL],
    ["vehicle.yaml", `vehicle: ${vehicle}\nmodel: van\nlabels: { fleet: simulated }\n`],
  ]);
}
