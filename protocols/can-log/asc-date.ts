// The date of a Vector ASC recording, in the language of the machine that wrote it: `Sat Sep 30 10:06:13.191 PM 2017`, `Sam Mär 30 15:06:13 2017`.
// It names no time zone; it is taken for UTC, as the start of the other formats is.

/** By the first letters of their names without accents, in English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish. */
const MONTHS: readonly (readonly string[])[] = [
  ["jan", "ene", "gen"],
  ["feb", "fev"],
  ["mar", "mrz", "mrt"],
  ["apr", "avr", "abr"],
  ["may", "mai", "mei", "mag", "maj"],
  ["jun", "juin", "giu"],
  ["jul", "juil", "lug"],
  ["aug", "aou", "ago"],
  ["sep", "set"],
  ["oct", "okt", "ott", "out"],
  ["nov"],
  ["dec", "dez", "dic"],
];
/** The day of the week is not looked at, except that it is one word. */
const DATE = /^\S+\s+(\S+?)\.?\s+([0-9]{1,2})\.?\s+([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9}))?(?:\s+([ap])\.?m\.?)?\s+([0-9]{4})$/i;

/** Seconds since 1970, or undefined where it is no date that is known here. */
export function ascDateS(text: string): number | undefined {
  const [, monthName = "", day = "", hour = "", minute = "", second = "", fraction = "", half = "", year = ""] = DATE.exec(text.trim()) ?? [];
  const name = monthName
    .normalize("NFD")
    .replace(/[^A-Za-z0-9]/g, "")
    .toLowerCase();
  const month = MONTHS.findIndex((names) => names.some((known) => name.startsWith(known)));
  if (month < 0) return undefined;
  const hours = half === "" ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  if (hours > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const wholeMs = Date.UTC(Number(year), month, Number(day), hours, Number(minute), Number(second));
  if (new Date(wholeMs).getUTCDate() !== Number(day)) return undefined;
  return wholeMs / 1_000 + Number(`0.${fraction === "" ? "0" : fraction}`);
}
