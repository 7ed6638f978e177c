import { strict as assert } from "node:assert";
import fc from "fast-check";
import { native } from "../../dist/native";

/** Values of every kind; no number among them is a descriptor that this process may have open. */
const strange = fc.oneof(
  fc.constantFrom(undefined, null, true, "", "3", {}, [], () => 3, Symbol("3"), 3n, NaN, Infinity, -Infinity, -1, 0.5),
  fc.integer({ min: 1_000_000_000 }),
  fc.double({ min: 1e9 }),
  fc.string(),
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom(new Int32Array(2), new Float64Array(2), new Uint8Array(0), new DataView(new ArrayBuffer(4))),
  fc.object(),
);

/** Calls that take a descriptor first, so that a strange one is refused before anything is done. */
const calls = [
  "accept",
  "acceptAll",
  "bind",
  "close",
  "connect",
  "diag",
  "getpeername",
  "getsockname",
  "getsockopt",
  "inode",
  "listen",
  "listening",
  "poll",
  "preadText",
  "pwriteText",
  "read",
  "recv",
  "requestCount",
  "send",
  "setLinger",
  "setsockopt",
  "shutdown",
  "tcpInfo",
  "unixListening",
] as const;

/** A TypeError or RangeError that says something, or a system error with its three fields. */
function wellFormed(error: unknown): boolean {
  assert.ok(error instanceof Error && error.message.length > 0, String(error));
  if (error instanceof TypeError || error instanceof RangeError) return true;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  assert.match(String(code), /^E[A-Z0-9]+$/);
  assert.ok(Number.isInteger(errno) && errno! < 0 && typeof syscall === "string" && syscall.length > 0, error.message);
  return true;
}

describe("calls of the addon with strange arguments", () => {
  for (const name of calls)
    it(`${name}() throws an error that says what is wrong`, () => {
      fc.assert(
        fc.property(fc.array(strange, { maxLength: 5 }), (args) => {
          assert.throws(() => (native[name] as (...values: unknown[]) => unknown)(...args), wellFormed);
        }),
        { numRuns: 100 },
      );
    });

  const classes = ["Acceptor", "ClientThread", "Ghosts", "Mirror", "Sampler", "WirePort"] as const;
  for (const name of classes)
    it(`new ${name}() throws an error that says what is wrong`, () => {
      const Class = native[name] as unknown as new (...args: unknown[]) => unknown;
      fc.assert(
        fc.property(fc.array(strange, { maxLength: 2 }), (args) => {
          assert.throws(() => new Class(...args), wellFormed);
        }),
        { numRuns: 100 },
      );
    });
});
