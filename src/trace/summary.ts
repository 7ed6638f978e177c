import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { valueAt } from "../native/column";
import { formatNumber, formatTime } from "../wording/number";
import { textTable } from "../wording/text-table";
import type { TraceView } from "./data";

/** One column of a Trace in numbers, in the column's unit. A column without rows has NaN everywhere. */
export interface ColumnSummary {
  /** the column's name */
  readonly column: string;
  /** value of the first row */
  readonly first: number;
  /** value of the last row */
  readonly last: number;
  /** the least value */
  readonly min: number;
  /** the greatest value */
  readonly max: number;
  /** mean, weighted by how long each value held, from the column's first row to the end of the trace */
  readonly mean: number;
  /** ms since the recording started of the first row that reached `max` */
  readonly timeOfMax: number;
}

/** Every column of a Trace in numbers; prints as a table. */
export class TraceSummary {
  /** in the order of the trace's `columnNames` */
  readonly columns: readonly ColumnSummary[];
  readonly #heading: string;

  /** @param trace the Trace whose columns are summarized */
  constructor(trace: TraceView) {
    this.columns = trace.columnNames.map((name) => summarizeColumn(trace, name));
    this.#heading = trace.describe();
  }

  /** The summary of one column, by its full name. @throws ArgumentError the trace has no such column */
  get(column: string): ColumnSummary {
    const found = this.columns.find((row) => row.column === column);
    if (!found)
      throw new ArgumentError(
        `This trace has no column "${column}".`,
        `It has ${this.columns.map((row) => row.column).join(", ")}.`,
      );
    return found;
  }

  /** A heading, and a text table with one row per column. */
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

  /** What console.log() and the notebook print. */
  [inspect.custom](): string {
    return this.toString();
  }
}

function summarizeColumn(trace: TraceView, name: string): ColumnSummary {
  const { time, values } = trace.column(name);
  const rows = time.length;
  if (rows === 0) return { column: name, first: NaN, last: NaN, min: NaN, max: NaN, mean: NaN, timeOfMax: NaN };
  const [first, last] = [valueAt(values, 0), valueAt(values, rows - 1)];
  const [start, end] = [valueAt(time, 0), Math.max(trace.end, valueAt(time, rows - 1))];
  let [min, max, timeOfMax, area] = [first, first, start, 0];
  for (let row = 0; row < rows; row++) {
    const value = valueAt(values, row);
    const since = valueAt(time, row);
    if (value < min) min = value;
    if (value > max) [max, timeOfMax] = [value, since];
    area += value * ((time[row + 1] ?? end) - since);
  }
  const span = end - start;
  return { column: name, first, last, min, max, mean: span > 0 ? area / span : last, timeOfMax };
}
