/** Numbers drawn with block characters. */

const blocks = " ▁▂▃▄▅▆▇█";

/** A row of blocks, one per value. @param most the value of a full block; default: the highest value */
export function sparkline(values: readonly number[], most = Math.max(1, ...values)): string {
  const height = (value: number) => Math.max(1, Math.round(Math.min(1, value / most) * (blocks.length - 1)));
  return values.map((value) => blocks.charAt(value <= 0 ? 0 : height(value))).join("");
}

/** A bar of `width` characters, "██████░░░░", filled to `share` (0 to 1). */
export function gauge(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}
