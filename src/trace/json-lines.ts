import { valueAt } from "../native/column";
import { rowsInOrder } from "./rows-in-order";
import type { TraceView } from "./data";

/**
 * See Trace.toJSONLines(). Line 1: `{ "meta": …, "start": ms, "end": ms, "tracks": { queues: ["acceptQueue", …], … } }`; then rows
 * `{ "track": "queues", "time": ms, "acceptQueue": 3, … }` and events `{ "event": "burst", "time": ms, "detail": "200 clients" }`.
 */
export function traceToJSONLines(trace: TraceView): string {
  const tracks = Object.fromEntries(
    Object.entries(trace.tracks).map(([name, track]) => [name, Object.keys(track.columns)]),
  );
  const lines = [JSON.stringify({ meta: trace.meta, start: trace.start, end: trace.end, tracks })];
  rowsInOrder(trace, (time, changed, events) => {
    for (const { name, track, row } of changed) {
      const values: Record<string, number> = {};
      for (const [column, numbers] of Object.entries(track.columns)) values[column] = valueAt(numbers, row);
      lines.push(JSON.stringify({ track: name, time, ...values }));
    }
    for (const event of events) lines.push(JSON.stringify({ event: event.name, time, detail: event.detail }));
  });
  return lines.join("\n") + "\n";
}
