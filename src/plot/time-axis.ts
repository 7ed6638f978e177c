import type { Trace } from "../trace";
import { axis, rounder, type Json } from "./figure";

/** The time axis of a trace: in milliseconds below two seconds, in seconds above. */
export interface TimeAxis {
  /** from ms to the axis' unit, rounded to what can be seen */
  (ms: number): number;
  readonly unit: "ms" | "s";
  readonly layout: Json;
}

export function timeAxis(trace: Trace): TimeAxis {
  const unit = trace.end < 2000 ? "ms" : "s";
  const scale = unit === "ms" ? 1 : 1000;
  const span = (trace.duration || 1) / scale;
  const round = rounder(span);
  const start = trace.start / scale;
  const layout = axis(`time (${unit})`, { range: [round(start - span * 0.005), round(start + span * 1.005)], ticksuffix: "" });
  return Object.assign((ms: number) => round(ms / scale), { unit, layout } as const);
}
