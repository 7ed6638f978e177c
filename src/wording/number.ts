/** Numbers as readers see them: in summaries, labels, messages and text alternatives. English, so that every page agrees. */

const locale = "en-US";

/** Formatters are slow to make: one for each number of decimals. */
const formatters = new Map<number, Intl.NumberFormat>();

function formatter(digits: number): Intl.NumberFormat {
  let made = formatters.get(digits);
  if (!made) {
    made = new Intl.NumberFormat(locale, { maximumFractionDigits: digits, signDisplay: "negative" });
    formatters.set(digits, made);
  }
  return made;
}

/** A count or a mean with at most `digits` decimals, thousands separated by commas: "20,000", "12.35"; NaN as a dash. */
export function formatNumber(value: number, digits = 2): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  return formatter(digits).format(value);
}

/** A count that was computed, to the nearest whole number: "1,250". */
export function formatCount(value: number): string {
  return formatNumber(value, 0);
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

/** A share from 0 to 1: "42 %", below a tenth with one decimal: "4.2 %". */
export function formatPercent(share: number): string {
  const digits = Math.abs(share) >= 0.1 || share === 0 ? 0 : 1;
  return `${(share * 100).toFixed(digits)} %`;
}

/** "1 client", "129 clients", "12,450 clients"; a plural that is not made with "s" is given: "2 switches". */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatNumber(count)} ${count === 1 ? noun : plural}`;
}

/** Three significant digits, no exponent. */
function significant(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}
