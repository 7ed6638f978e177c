/** What a value must be to stand in a field of a packet. A value that does not fit is an error: cut to the field's size, it would be another value. */
import { types } from "node:util";
import { SegmentError } from "./segment-error";
import { formatNumber } from "../wording/number";

/** The value of a number field. @throws SegmentError it is not an integer from 0 to `most` */
export function field(value: number, name: string, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new SegmentError(`${name} must be an integer from 0 to ${formatNumber(most)}, not ${shown(value)}.`);
  return value;
}

/** The value of a one-bit field. @throws SegmentError it is neither true nor false */
export function bitField(value: boolean, name: string): boolean {
  if (typeof value !== "boolean") throw new SegmentError(`${name} must be true or false, not ${shown(value)}.`);
  return value;
}

/** Bytes of a field. @throws SegmentError they are not a Uint8Array: a text has several encodings, and a number of an array may not fit a byte */
export function bytesField(value: Uint8Array, name: string): Uint8Array {
  if (!types.isUint8Array(value))
    throw new SegmentError(
      `${name} must be a Uint8Array of bytes, not ${shown(value)}.`,
      "Buffer.from(…) makes one from a text or from numbers.",
    );
  return value;
}

/** An object with no other fields than these. @throws SegmentError that names the field that is not among them */
export function requireNames(value: unknown, names: readonly string[], what: string): void {
  const listed = `Its fields are ${names.join(", ")}.`;
  if (typeof value !== "object" || value === null)
    throw new SegmentError(`${what} must be an object, not ${shown(value)}.`, listed);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new SegmentError(`${what} has no field "${unknown}".`, listed);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
