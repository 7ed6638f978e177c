import { valueAt } from "../native/column";
import type { Column } from "./track";

/** By how much a full buffer grows: by little beyond 64 Ki rows, because a long recording has dozens of columns. */
const smallGrowth = 2;
const largeGrowth = 1.25;
const large = 65_536;

/** A type of column, and the greatest count that it holds exactly. Float64Array also holds all other numbers. */
interface Width {
  readonly type: new (length: number) => Column;
  readonly most: number;
}

const bytes: Width = { type: Uint8Array, most: 0xff };
const doubles: Width = { type: Float64Array, most: Infinity };
/** narrowest first */
const widths: readonly Width[] = [
  bytes,
  { type: Uint16Array, most: 0xffff },
  { type: Uint32Array, most: 0xffff_ffff },
  doubles,
];

/**
 * A growing column in the narrowest type that holds its values exactly: most counts of a recording fit one or two bytes. Rows once
 * written are never written again, so view() costs nothing and stays valid while the buffer grows.
 */
export class ColumnBuffer {
  /** rows written so far */
  length = 0;
  #width: Width;
  #data: Column;

  /** @param wide store float64 from the start (times) */
  constructor(wide = false) {
    this.#width = wide ? doubles : bytes;
    this.#data = new this.#width.type(256);
  }

  /** A buffer that begins with the rows of a column. */
  static of(column: Column): ColumnBuffer {
    const buffer = new ColumnBuffer(column instanceof Float64Array);
    buffer.append(column);
    return buffer;
  }

  /** Writes rows behind the last one. */
  append(values: ArrayLike<number>): void {
    const length = this.length + values.length;
    const needed = widthFor(values);
    const width = needed.most > this.#width.most ? needed : this.#width;
    if (width !== this.#width || length > this.#data.length) this.#reallocate(width, length);
    this.#data.set(values, this.length);
    this.length = length;
  }

  /** The rows so far, without a copy. */
  view(): Column {
    return this.#data.subarray(0, this.length);
  }

  /** The rows in a buffer of exactly their size; the memory beyond them is freed. */
  finish(): Column {
    this.#data = this.#data.slice(0, this.length);
    return this.#data;
  }

  #reallocate(width: Width, length: number): void {
    const growth = length > large ? largeGrowth : smallGrowth;
    const capacity =
      length > this.#data.length ? Math.max(length, Math.ceil(this.#data.length * growth)) : this.#data.length;
    const data = new width.type(capacity);
    data.set(this.#data.subarray(0, this.length));
    this.#width = width;
    this.#data = data;
  }
}

function widthFor(values: ArrayLike<number>): Width {
  let greatest = 0;
  for (let i = 0; i < values.length; i++) {
    const value = valueAt(values, i);
    // negative, fractional, NaN and above 2^32 alike
    if (value >>> 0 !== value || Object.is(value, -0)) return doubles;
    if (value > greatest) greatest = value;
  }
  return widths.find(({ most }) => greatest <= most) ?? doubles;
}
