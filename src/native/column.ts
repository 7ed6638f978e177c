/** Columns of numbers, as native code fills them: one value of a column. */

/**
 * The value in a row that the caller knows to be there: below the column's length, or at an index that a search has
 * given.
 * @throws RangeError the column has no such row, which is a fault of the caller
 */
export function valueAt(column: ArrayLike<number>, row: number): number {
  const value = column[row];
  if (value === undefined) throw new RangeError(`There is no row ${row} in a column of ${column.length}.`);
  return value;
}
