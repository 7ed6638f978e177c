/**
 * Fewer points that draw the same picture. A step line may lose any row that changes nothing; where more rows are left than a screen
 * has room for, each slice of time keeps its first and last row and the rows of its least and greatest values, so that no peak is lost.
 */

/** About as many points as a screen can show of one line. */
export const mostPoints = 1500;

export interface Points {
  x: number[];
  y: number[];
}

/**
 * The rows to keep so that the step lines of all `columns` over `time` look the same.
 * @returns ascending row numbers, at most `most` of them (never fewer than the first row, and 2 + 2 × columns a slice)
 */
export function decimateRows(time: ArrayLike<number>, columns: readonly ArrayLike<number>[], most: number = mostPoints): number[] {
  const changes = changedRows(time.length, columns);
  if (changes.length <= most) return changes;
  const least = Math.max(1, Math.floor(most / (2 + 2 * columns.length)));
  for (let slices = Math.max(least, Math.floor(most / 3)); ; ) {
    const rows = peakRows(changes, time, columns, slices);
    if (rows.length <= most || slices <= least) return rows;
    slices = Math.max(least, Math.floor(((slices * most) / rows.length) * 0.95));
  }
}

/**
 * The step line of `values` over `time` in at most `most` points and one more that carries the last value to `end`.
 * Every point is a row of the original; least and greatest values of every stretch of time are among them.
 */
export function decimate(time: ArrayLike<number>, values: ArrayLike<number>, end: number, most: number = mostPoints): Points {
  const rows = decimateRows(time, [values], most);
  const points: Points = { x: rows.map((row) => time[row]), y: rows.map((row) => values[row]) };
  if (rows.length > 0 && end > points.x[points.x.length - 1]) {
    points.x.push(end);
    points.y.push(points.y[points.y.length - 1]);
  }
  return points;
}

function changedRows(length: number, columns: readonly ArrayLike<number>[]): number[] {
  const rows: number[] = length > 0 ? [0] : [];
  for (let row = 1; row < length; row++) {
    for (const column of columns) {
      if (column[row] !== column[row - 1]) {
        rows.push(row);
        break;
      }
    }
  }
  return rows;
}

function peakRows(changes: readonly number[], time: ArrayLike<number>, columns: readonly ArrayLike<number>[], slices: number): number[] {
  const start = time[changes[0]];
  const width = (time[changes[changes.length - 1]] - start) / slices || 1;
  const sliceOf = (row: number): number => Math.min(slices - 1, Math.floor((time[row] - start) / width));
  const rows: number[] = [];
  const peaks = new Int32Array(2 * columns.length + 2);
  for (let i = 0; i < changes.length; ) {
    const slice = sliceOf(changes[i]);
    peaks.fill(changes[i]);
    for (; i < changes.length && sliceOf(changes[i]) === slice; i++) {
      const row = changes[i];
      peaks[0] = row;
      for (let c = 0; c < columns.length; c++) {
        const column = columns[c];
        if (column[row] < column[peaks[2 * c + 2]]) peaks[2 * c + 2] = row;
        if (column[row] > column[peaks[2 * c + 3]]) peaks[2 * c + 3] = row;
      }
    }
    // peaks[1] is still the slice's first row
    for (const row of peaks.slice().sort()) if (row !== rows[rows.length - 1]) rows.push(row);
  }
  return rows;
}
