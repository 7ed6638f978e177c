import { rowsInOrder } from "./rows-in-order";
import type { TraceView } from "./data";
import type { TraceEvent } from "./track";

/** See Trace.toCSV(). Columns not yet measured are empty. */
export function traceToCSV(trace: TraceView): string {
  const names = trace.columnNames;
  const series = names.map((name) => trace.column(name));
  const columnsOf = new Map<string, number[]>();
  series.forEach((entry, i) => columnsOf.set(entry.track, [...(columnsOf.get(entry.track) ?? []), i]));
  const cells: string[] = names.map(() => "");
  const lines: string[] = [["time_ms", ...names, "event"].map(quote).join(",")];
  rowsInOrder(trace, (time, changed, events) => {
    for (const { name, row } of changed) {
      for (const i of columnsOf.get(name) ?? []) cells[i] = String(series[i].values[row]);
    }
    lines.push([microseconds(time), ...cells, quote(events.map(eventText).join("; "))].join(","));
  });
  return lines.join("\r\n") + "\r\n";
}

function eventText({ name, detail }: TraceEvent): string {
  return detail === undefined ? name : `${name}: ${detail}`;
}

/** ms to the microsecond: finer than the sampling thread's clock is true */
function microseconds(ms: number): string {
  return String(Number(ms.toFixed(3)));
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
