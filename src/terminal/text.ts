/** Text within the width of a terminal. */

/** Lines of at most `width` characters, broken at spaces. */
export function wrap(text: string, width: number): string[] {
  return (text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)`, "gu")) ?? []).map((line) => line.trimEnd());
}

/** At most `width` visible characters: escape sequences take no room. */
export function cropped(text: string, width: number): string {
  let room = width;
  return text.replace(/\u001b\[[\d;]*m|./gu, (part) => (part.startsWith("\u001b") || room-- > 0 ? part : ""));
}
