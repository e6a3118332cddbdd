// The units that a signal may be given in. A closed list, so that `kmh` and `km/h` never meet on one page; VSS spellings are understood and written as here.

const UNITS = [
  "%", "1", "A", "Ah", "Hz", "J", "K", "N", "Nm", "Pa", "V", "VA", "W", "Wh", "bar", "bool", "cm", "deg", "deg/s", "degC", "degF", "g", "g/s", "h", "hPa", "kPa", "kW", "kWh", "kg", "kg/h", "km", "km/h", "km/l",
  "l", "l/100km", "l/h", "level", "lux", "m", "m/s", "m/s^2", "mA", "mV", "mbar", "min", "ml", "mm", "month", "ms", "ohm", "ppb", "ppm", "psi", "rad", "rpm", "s", "day", "hour", "year", "knots", "satellites",
] as const;

const ALIASES: Readonly<Record<string, string>> = {
  celsius: "degC", "°C": "degC", C: "degC", fahrenheit: "degF", "°F": "degF", degrees: "deg", "°": "deg", percent: "%", volt: "V", kph: "km/h", kmh: "km/h", "1/min": "rpm", sec: "s", kn: "knots", kW_h: "kWh", liter: "l",
};

export const knownUnits: readonly string[] = UNITS;

/** The unit as this project writes it, or undefined when it is not known. */
export function canonicalUnit(written: string): string | undefined {
  if ((UNITS as readonly string[]).includes(written)) return written;
  return Object.hasOwn(ALIASES, written) ? ALIASES[written] : undefined;
}
