// Tests that take long by their number of rounds have two forms with the same bounds: the short one, and, where DROVER_TESTS=long, the long one of CI.

const isLong = process.env["DROVER_TESTS"] === "long";

export function form<T>(short: T, long: T): T {
  return isLong ? long : short;
}
