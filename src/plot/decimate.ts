/**
 * Fewer points that draw the same picture: a step line keeps, for each slice of time, its first, lowest, highest and
 * last value.
 */

/** Points of a line: `x[i]` belongs to `y[i]`. */
export interface Points {
  /** horizontal values, ascending */
  x: number[];
  /** vertical values */
  y: number[];
}

/**
 * The step line of `values` over `time`, with about `most` points at most, reaching to `end`.
 * No peak is lost: the smallest and the largest value of every slice are among the points.
 * @param time ascending, in ms
 * @param values one for each time; what one of the two has more than the other is left out
 * @param end the moment until which the last value holds
 */
export function decimate(time: ArrayLike<number>, values: ArrayLike<number>, end: number, most = 1200): Points {
  const rows = Math.min(time.length, values.length);
  const kept = rows <= most ? Array.from({ length: rows }, (_, row) => row) : rowsToKeep(time, values, rows, most);
  const points: Points = { x: kept.map((row) => time[row] ?? NaN), y: kept.map((row) => values[row] ?? NaN) };
  const last = points.x.at(-1);
  if (last !== undefined && end > last) {
    points.x.push(end);
    points.y.push(values[rows - 1] ?? NaN);
  }
  return points;
}

/** Of each slice of time the first, the lowest, the highest and the last row, each once, ascending. */
function rowsToKeep(time: ArrayLike<number>, values: ArrayLike<number>, rows: number, most: number): number[] {
  const timeOf = (row: number) => time[row] ?? NaN;
  const valueOf = (row: number) => values[row] ?? NaN;
  const kept: number[] = [];
  const slices = Math.max(1, Math.floor(most / 4));
  const start = timeOf(0);
  const width = (timeOf(rows - 1) - start) / slices || 1;
  for (let row = 0; row < rows;) {
    const until = start + (Math.floor((timeOf(row) - start) / width) + 1) * width;
    const first = row;
    let low = row;
    let high = row;
    let last = row;
    for (; row < rows && (timeOf(row) < until || row === first); row++) {
      if (valueOf(row) < valueOf(low)) low = row;
      if (valueOf(row) > valueOf(high)) high = row;
      last = row;
    }
    for (const each of [first, Math.min(low, high), Math.max(low, high), last])
      if (each > (kept.at(-1) ?? -1)) kept.push(each);
  }
  return kept;
}
