import type { Column } from "./track";

/** How much room a full buffer gets on top: little beyond 64 Ki rows, since a long recording has dozens of columns. */
const smallGrowth = 2;
const largeGrowth = 1.25;
const large = 65_536;

const widths = [Uint8Array, Uint16Array, Uint32Array, Float64Array] as const;
const limits = [0xff, 0xffff, 0xffff_ffff, Infinity] as const;

/**
 * A growing column in the narrowest type that holds its values exactly: most counts of a recording fit one or two bytes. Rows once
 * written are never written again, so view() costs nothing and stays valid while the buffer grows.
 */
export class ColumnBuffer {
  length = 0;
  #width: number;
  #data: Column;

  /** @param wide store float64 from the start (times) */
  constructor(wide = false) {
    this.#width = wide ? widths.length - 1 : 0;
    this.#data = new widths[this.#width](256);
  }

  /** A buffer that goes on from a column that is there already. */
  static of(column: Column): ColumnBuffer {
    const buffer = new ColumnBuffer(column instanceof Float64Array);
    buffer.append(column);
    return buffer;
  }

  append(values: ArrayLike<number>): void {
    const length = this.length + values.length;
    const width = Math.max(this.#width, widthFor(values));
    if (width > this.#width || length > this.#data.length) this.#reallocate(width, length);
    this.#data.set(values, this.length);
    this.length = length;
  }

  /** The rows so far, without a copy. */
  view(): Column {
    return this.#data.subarray(0, this.length);
  }

  /** The rows in a buffer of exactly their size; the room beyond them is given back. */
  finish(): Column {
    this.#data = this.#data.slice(0, this.length);
    return this.#data;
  }

  #reallocate(width: number, length: number): void {
    const growth = length > large ? largeGrowth : smallGrowth;
    const capacity =
      length > this.#data.length ? Math.max(length, Math.ceil(this.#data.length * growth)) : this.#data.length;
    const data = new widths[width](capacity);
    data.set(this.#data.subarray(0, this.length));
    this.#width = width;
    this.#data = data;
  }
}

function widthFor(values: ArrayLike<number>): number {
  let greatest = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    // negative, fractional, NaN and above 2^32 alike
    if (value >>> 0 !== value || Object.is(value, -0)) return widths.length - 1;
    if (value > greatest) greatest = value;
  }
  return limits.findIndex((limit) => greatest <= limit);
}
