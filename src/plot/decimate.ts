/**
 * Fewer points that draw the same picture: a step line keeps, for each slice of time, its first, lowest, highest and last value.
 */

export interface Points {
  x: number[];
  y: number[];
}

/**
 * The step line of `values` over `time`, with at most some `most` points, reaching to `end`.
 * No peak is lost: the smallest and the largest value of every slice are among the points.
 */
export function decimate(time: ArrayLike<number>, values: ArrayLike<number>, end: number, most = 1200): Points {
  const points: Points = { x: [], y: [] };
  const rows = Math.min(time.length, values.length);
  if (rows === 0) return points;
  const add = (row: number) => {
    points.x.push(time[row]);
    points.y.push(values[row]);
  };
  if (rows <= most) {
    for (let row = 0; row < rows; row++) add(row);
  } else {
    const slices = Math.max(1, Math.floor(most / 4));
    const start = time[0];
    const width = (time[rows - 1] - start) / slices || 1;
    for (let row = 0; row < rows;) {
      const until = start + (Math.floor((time[row] - start) / width) + 1) * width;
      const first = row;
      let low = row;
      let high = row;
      let last = row;
      for (; row < rows && (time[row] < until || row === first); row++) {
        if (values[row] < values[low]) low = row;
        if (values[row] > values[high]) high = row;
        last = row;
      }
      let before = -1;
      for (const kept of [first, Math.min(low, high), Math.max(low, high), last]) {
        if (kept > before) add(kept);
        before = Math.max(before, kept);
      }
    }
  }
  if (end > points.x[points.x.length - 1]) {
    points.x.push(end);
    points.y.push(values[rows - 1]);
  }
  return points;
}
