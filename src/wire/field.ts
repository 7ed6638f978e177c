/** What a value must be to stand in a packet. What does not fit is refused: written all the same, it would be something else, in silence. */
import { types } from "node:util";
import { SegmentError } from "./segment-error";
import { formatNumber } from "../wording/number";

/** @throws SegmentError no integer from 0 to `most` */
export function field(value: number, name: string, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new SegmentError(`${name} must be an integer from 0 to ${formatNumber(most)}, not ${shown(value)}.`);
  return value;
}

/** @throws SegmentError neither true nor false */
export function bitField(value: boolean, name: string): boolean {
  if (typeof value !== "boolean") throw new SegmentError(`${name} must be true or false, not ${shown(value)}.`);
  return value;
}

/** @throws SegmentError no bytes: a text has several encodings, and an array of numbers may not fit */
export function bytesField(value: Uint8Array, name: string): Uint8Array {
  if (!types.isUint8Array(value))
    throw new SegmentError(
      `${name} must be a Uint8Array of bytes, not ${shown(value)}.`,
      "Buffer.from(…) makes one of a text or of numbers.",
    );
  return value;
}

/** An object with none but these names. @throws SegmentError that says which name is strange */
export function requireNames(value: object, names: readonly string[], what: string): void {
  const listed = `Its fields: ${names.join(", ")}.`;
  if (typeof value !== "object" || value === null)
    throw new SegmentError(`${what} is an object, not ${shown(value)}.`, listed);
  const stranger = Object.keys(value).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new SegmentError(`${what} has no field "${stranger}".`, listed);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
