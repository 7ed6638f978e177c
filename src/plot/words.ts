/** Figures in words: for terminals, screen readers and places that do not run scripts. */
import { formatNumber, rowAt, type Series, type Trace } from "../trace";

const blocks = "▁▂▃▄▅▆▇█";

/** The column's greatest value in each of `width` slices of time as a row of block characters; blank: nothing or zero. */
export function sparkline(series: Series, start: number, end: number, width = 60): string {
  const { time, values } = series;
  const slice = (end - start) / width;
  let greatest = 0;
  const peaks = Array.from({ length: width }, (_, i) => {
    const until = i + 1 === width ? end : start + (i + 1) * slice;
    let row = Math.max(rowAt(time, start + i * slice), 0);
    let peak = 0;
    for (; row < time.length && time[row] <= until; row++) peak = Math.max(peak, values[row]);
    greatest = Math.max(greatest, peak);
    return peak;
  });
  return peaks.map((peak) => (peak > 0 ? blocks[Math.ceil((peak / greatest) * blocks.length) - 1] : " ")).join("").trimEnd();
}

/** Rows of "name  value  sparkline" under one another. */
export function seriesInWords(trace: Trace, rows: readonly { name: string; value: string; series?: Series }[]): string[] {
  const names = Math.max(0, ...rows.map(({ name }) => name.length));
  const values = Math.max(0, ...rows.map(({ value }) => value.length));
  return rows.map(({ name, value, series }) => `  ${name.padEnd(names)}  ${value.padEnd(values)}  ${series ? sparkline(series, trace.start, trace.end) : ""}`.trimEnd());
}

/** The settings that decide what a listener does, as a line: "listen(128), tcp_syncookies 1, somaxconn 4096, Linux 6.18". */
export function circumstances(trace: Trace): string {
  const { listener, settings, kernel } = trace.meta;
  const said = ["net.ipv4.tcp_syncookies", "net.core.somaxconn"]
    .filter((name) => name in settings)
    .map((name) => `${name.slice(name.lastIndexOf(".") + 1)} ${typeof settings[name] === "number" ? formatNumber(settings[name]) : settings[name]}`);
  return [`port ${listener.port}`, `listen(${listener.backlog})`, ...said, `Linux ${/^[\d.]*\d/.exec(kernel)?.[0] ?? kernel}`].join(", ");
}
