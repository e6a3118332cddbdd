// Patterns over names: `*` stands for any run of characters, everything else for itself.

export function isPattern(text: string): boolean {
  return text.includes("*");
}

/** Does `name` fit? Linear in both lengths for each star: the last star alone is ever tried again. */
export function fitsPattern(name: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let afterStar = 0;
  while (at < name.length) {
    if (inPattern < pattern.length && pattern[inPattern] === "*") {
      star = inPattern++;
      afterStar = at;
    } else if (inPattern < pattern.length && pattern[inPattern] === name[at]) {
      at++;
      inPattern++;
    } else if (star !== -1) {
      inPattern = star + 1;
      at = ++afterStar;
    } else return false;
  }
  while (pattern[inPattern] === "*") inPattern++;
  return inPattern === pattern.length;
}
