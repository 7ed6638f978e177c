/** What travels between this process and one on another kernel: data as structured clones have it, and Traces. */
import v8 from "node:v8";
import { ArgumentError } from "../errors";
import { compressTrace, decompressTrace } from "../trace/file";
import { Trace } from "../trace";

/** stands for a Trace while it travels */
interface PackedTrace {
  [packed]: Uint8Array;
}
const packed = "one-listener trace, packed";

function isPacked(value: object): value is PackedTrace {
  return packed in value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // of another realm as well: a cell's objects may have another Object
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Replaces each object for which `change` gives something, in arrays and plain objects at any depth. Circles are no data. */
async function replaced(
  value: unknown,
  change: (value: object) => Promise<unknown>,
  above: object[] = [],
): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  if (above.includes(value))
    throw new ArgumentError("What travels to another kernel and back must not contain itself.");
  const changed = await change(value);
  if (changed !== undefined) return changed;
  const path = [...above, value];
  if (Array.isArray(value)) return Promise.all(value.map((each) => replaced(each, change, path)));
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(
    async ([name, each]) => [name, await replaced(each, change, path)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * Data as bytes: numbers, strings, arrays, plain objects, typed arrays, Map, Set, Date, and Traces.
 * @param what what it is, for the message: "What the function returned"
 * @throws ArgumentError there is something in it that cannot travel: a function, a Lab, a circle
 */
export async function pack(value: unknown, what: string): Promise<Buffer> {
  const plain = await replaced(value, async (each) =>
    each instanceof Trace ? { [packed]: new Uint8Array(await compressTrace(each)) } : undefined,
  );
  try {
    return v8.serialize(plain);
  } catch (error) {
    throw new ArgumentError(
      `${what} cannot travel between kernels: ${(error as Error).message}`,
      "Numbers, strings, arrays, plain objects, typed arrays and Traces can.",
    );
  }
}

/** The data that pack() made bytes of. */
export async function unpack(bytes: Uint8Array): Promise<unknown> {
  return replaced(v8.deserialize(bytes), async (each) =>
    isPacked(each) ? new Trace(await decompressTrace(each[packed], "A Trace from another kernel")) : undefined,
  );
}
