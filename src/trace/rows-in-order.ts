import type { Track, TraceEvent } from "./track";
import type { TraceView } from "./data";

/** Called for each instant at which a row or an event was stored, ascending. `row` is an index of `track`. */
export type Visit = (
  time: number,
  changed: readonly { name: string; track: Track; row: number }[],
  events: readonly TraceEvent[],
) => void;

/** Walks all tracks and events of a trace together in the order of time. Several rows of one track at one time are visited one after the other. */
export function rowsInOrder(trace: TraceView, visit: Visit): void {
  const cursors = Object.entries(trace.tracks).map(([name, track]) => ({ name, track, row: 0 }));
  let event = 0;
  for (;;) {
    let time = trace.events[event]?.time ?? Infinity;
    for (const { track, row } of cursors) time = Math.min(time, track.time[row] ?? Infinity);
    if (time === Infinity) return;
    const changed: { name: string; track: Track; row: number }[] = [];
    for (const cursor of cursors) {
      if (cursor.track.time[cursor.row] !== time) continue;
      changed.push({ name: cursor.name, track: cursor.track, row: cursor.row });
      cursor.row++;
    }
    const firstEvent = event;
    while (trace.events[event]?.time === time) event++;
    visit(time, changed, trace.events.slice(firstEvent, event));
  }
}
