import { rowsInOrder } from "./rows-in-order";
import type { TraceView } from "./data";
import type { Column, TraceEvent } from "./track";

/** See Trace.toCSV(). A column is empty before its first row. */
export function traceToCSV(trace: TraceView): string {
  const names = trace.columnNames;
  const columnsOf = new Map<string, { i: number; values: Column }[]>();
  for (const [i, name] of names.entries()) {
    const { track, values } = trace.column(name);
    columnsOf.set(track, [...(columnsOf.get(track) ?? []), { i, values }]);
  }
  const cells: string[] = names.map(() => "");
  const lines: string[] = [["time_ms", ...names, "event"].map(quote).join(",")];
  rowsInOrder(trace, (time, changed, events) => {
    for (const { name, row } of changed) {
      for (const { i, values } of columnsOf.get(name) ?? []) cells[i] = String(values[row]);
    }
    lines.push([microseconds(time), ...cells, quote(events.map(eventText).join("; "))].join(","));
  });
  return lines.join("\r\n") + "\r\n";
}

function eventText({ name, detail }: TraceEvent): string {
  return detail === undefined ? name : `${name}: ${detail}`;
}

/** ms, rounded to microseconds: the sampling thread is no more precise */
function microseconds(ms: number): string {
  return String(Number(ms.toFixed(3)));
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
