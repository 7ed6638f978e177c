/** Numbers as readers see them: in summaries, labels and text alternatives. */

/** A count or a mean with at most `digits` decimals, thousands separated by a narrow no-break space; NaN as a dash. */
export function formatNumber(value: number, digits = 2): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const rounded = Number(value.toFixed(digits));
  const [whole, fraction] = String(Math.abs(rounded)).split(".");
  if (whole.includes("e")) return String(value);
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return `${rounded < 0 ? "-" : ""}${grouped}${fraction === undefined ? "" : `.${fraction}`}`;
}

/** Milliseconds with a unit that suits their size: "850 µs", "12.3 ms", "4.10 s", "2 min 14 s". */
export function formatTime(ms: number): string {
  if (!Number.isFinite(ms)) return formatNumber(ms);
  const size = Math.abs(ms);
  if (size === 0) return "0 ms";
  if (size < 0.9995) return `${significant(ms * 1000)} µs`;
  if (size < 999.5) return `${significant(ms)} ms`;
  if (size < 119_500) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(size / 1000);
  return `${ms < 0 ? "-" : ""}${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Three significant digits, no exponent. */
function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
