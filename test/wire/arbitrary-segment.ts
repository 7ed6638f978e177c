import fc from "fast-check";
import { type Flags, flagNames, type Segment } from "../../dist/wire/segment";
import type { TcpOption } from "../../dist/wire/options";

const rec = <T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const byte = fc.integer({ min: 0, max: 0xff });
const word = fc.integer({ min: 0, max: 0xffff });
const long = fc.nat({ max: 0xffffffff });
const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const endpoint = rec({ address: fc.tuple(byte, byte, byte, byte).map((parts) => parts.join(".")), port: word });

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  rec({ kind: fc.constant("mss" as const), mss: word }),
  rec({ kind: fc.constant("windowScale" as const), shift: byte }),
  fc.constant({ kind: "sackPermitted" as const }),
  rec({
    kind: fc.constant("sack" as const),
    blocks: fc.array(rec({ left: long, right: long }), { minLength: 1, maxLength: 4 }),
  }),
  rec({ kind: fc.constant("timestamps" as const), value: long, echo: long }),
  rec({ kind: fc.constant("fastOpen" as const), cookie: bytes(8) }),
  fc.constant({ kind: "nop" as const }),
  rec({
    kind: fc.constant("unknown" as const),
    number: fc.oneof(fc.constantFrom(6, 7), fc.integer({ min: 9, max: 33 }), fc.integer({ min: 35, max: 255 })),
    data: bytes(6),
  }),
);

function sizeOf(each: TcpOption): number {
  switch (each.kind) {
    case "nop":
      return 1;
    case "end":
      return 1 + each.padding.length;
    case "mss":
      return 4;
    case "windowScale":
      return 3;
    case "sackPermitted":
      return 2;
    case "sack":
      return 2 + 8 * each.blocks.length;
    case "timestamps":
      return 10;
    case "fastOpen":
      return 2 + each.cookie.length;
    case "unknown":
      return 2 + each.data.length;
  }
}

/** As many of the options as a header has room for; behind them the end of the list, and what stands behind that. */
function fitting([all, behind]: [TcpOption[], Uint8Array | null]): TcpOption[] {
  let room = 40;
  const fit = all.filter((each) => (sizeOf(each) <= room ? ((room -= sizeOf(each)), true) : false));
  // up to a multiple of four, as a header must be; two zeros or fewer are no option, but its filling
  const padding = behind && room > 0 ? behind.slice(0, room - 1 - 4 * (behind[38] % Math.ceil(room / 4))) : undefined;
  return padding && (padding.length > 2 || padding.some((each) => each !== 0))
    ? [...fit, { kind: "end", padding }]
    : fit;
}

const flags = fc
  .tuple(...flagNames.map(() => fc.boolean()))
  .map((bits) => Object.fromEntries(flagNames.map((name, at) => [name, bits[at]])) as Flags);

/** Any segment with right checksums. */
export const anySegment: fc.Arbitrary<Segment> = rec({
  source: endpoint,
  destination: endpoint,
  sequence: long,
  acknowledgment: long,
  flags,
  window: word,
  urgentPointer: word,
  reserved: fc.integer({ min: 0, max: 15 }),
  options: fc
    .tuple(fc.array(option, { maxLength: 6 }), fc.option(fc.uint8Array({ minLength: 39, maxLength: 39 }), { freq: 3 }))
    .map(fitting),
  payload: bytes(64),
  ip: rec({
    ttl: byte,
    tos: byte,
    identification: word,
    dontFragment: fc.boolean(),
    reserved: fc.boolean(),
    options: fc
      .integer({ min: 0, max: 10 })
      .chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
  }),
  checksums: fc.constant({}),
});
