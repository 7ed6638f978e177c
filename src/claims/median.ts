/** The middle value, the upper one of an even number; Infinity counts as the largest. NaN if there is none. */
export function median(values: ArrayLike<number>): number {
  return (
    Float64Array.from(values)
      .sort()
      .at(values.length >> 1) ?? NaN
  );
}
