import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { formatNumber, formatTime } from "../wording/number";
import { textTable } from "../wording/text-table";
import type { TraceView } from "./data";

/** One column of a Trace in numbers. A column without rows has NaN everywhere. */
export interface ColumnSummary {
  readonly column: string;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** weighted by how long each value held, from the column's first row to the end of the trace */
  readonly mean: number;
  /** ms since the recording started of the first row that reached `max` */
  readonly timeOfMax: number;
}

/** Every column of a Trace in numbers; prints as a table. */
export class TraceSummary {
  readonly columns: readonly ColumnSummary[];
  readonly #heading: string;

  constructor(trace: TraceView) {
    this.columns = trace.columnNames.map((name) => summarizeColumn(trace, name));
    this.#heading = trace.describe();
  }

  /** The summary of one column. @throws ArgumentError: the trace has no such column */
  get(column: string): ColumnSummary {
    const found = this.columns.find((row) => row.column === column);
    if (!found)
      throw new ArgumentError(
        `This trace has no column "${column}".`,
        `It has: ${this.columns.map((row) => row.column).join(", ")}.`,
      );
    return found;
  }

  toString(): string {
    const titles = ["column", "first", "last", "min", "max", "mean", "max at"];
    const table = textTable(
      titles.map((title, i) => ({ title, align: i === 0 ? "left" : "right" })),
      this.columns.map((row) => [
        row.column,
        ...[row.first, row.last, row.min, row.max, row.mean].map((value) => formatNumber(value)),
        formatTime(row.timeOfMax),
      ]),
    );
    return `${this.#heading}\n${table}`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

function summarizeColumn(trace: TraceView, name: string): ColumnSummary {
  const { time, values } = trace.column(name);
  const rows = time.length;
  if (rows === 0) return { column: name, first: NaN, last: NaN, min: NaN, max: NaN, mean: NaN, timeOfMax: NaN };
  let min = values[0];
  let max = values[0];
  let timeOfMax = time[0];
  let area = 0;
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    if (value < min) min = value;
    if (value > max) {
      max = value;
      timeOfMax = time[row];
    }
    area += value * ((row + 1 < rows ? time[row + 1] : Math.max(trace.end, time[row])) - time[row]);
  }
  const span = Math.max(trace.end, time[rows - 1]) - time[0];
  const last = values[rows - 1];
  return { column: name, first: values[0], last, min, max, mean: span > 0 ? area / span : last, timeOfMax };
}
