/** Text within the width of a terminal. */

/** Lines of at most `width` characters, broken at spaces and newlines; a longer word is broken, too. "": no line. */
export function wrap(text: string, width: number): string[] {
  return (text.match(new RegExp(`\\S.{0,${width - 1}}(?=\\s|$)|\\S{${width}}`, "gu")) ?? []).map((line) =>
    line.trimEnd(),
  );
}

/** The first `width` visible characters: escape sequences (SGR, ECMA-48) are kept and not counted. */
export function cropped(text: string, width: number): string {
  let left = width;
  return text.replace(/\u001b\[[\d;]*m|./gu, (part) => (part.startsWith("\u001b") || left-- > 0 ? part : ""));
}
