import fc from "fast-check";
import { Flags, flagNames, Segment } from "../../dist/wire/segment";
import type { TcpOption } from "../../dist/wire/options";

const rec = <T extends object>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) => fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
const byte = fc.integer({ min: 0, max: 0xff });
const word = fc.integer({ min: 0, max: 0xffff });
const long = fc.nat({ max: 0xffffffff });
const bytes = (max: number) => fc.uint8Array({ maxLength: max });
const endpoint = rec({ address: fc.tuple(byte, byte, byte, byte).map((parts) => parts.join(".")), port: word });

const option: fc.Arbitrary<TcpOption> = fc.oneof(
  rec({ kind: fc.constant("mss" as const), mss: word }),
  rec({ kind: fc.constant("windowScale" as const), shift: byte }),
  fc.constant({ kind: "sackPermitted" as const }),
  rec({ kind: fc.constant("sack" as const), blocks: fc.array(rec({ left: long, right: long }), { minLength: 1, maxLength: 2 }) }),
  rec({ kind: fc.constant("timestamps" as const), value: long, echo: long }),
  rec({ kind: fc.constant("fastOpen" as const), cookie: bytes(8) }),
  fc.constant({ kind: "nop" as const }),
  rec({ kind: fc.constant("unknown" as const), number: fc.integer({ min: 9, max: 33 }), data: bytes(6) }),
);

function sizeOf(each: TcpOption): number {
  switch (each.kind) {
    case "nop": return 1;
    case "end": return 1 + each.padding.length;
    case "mss": return 4;
    case "windowScale": return 3;
    case "sackPermitted": return 2;
    case "sack": return 2 + 8 * each.blocks.length;
    case "timestamps": return 10;
    case "fastOpen": return 2 + each.cookie.length;
    case "unknown": return 2 + each.data.length;
  }
}

/** As many of the options as a header has room for. */
function fitting(all: TcpOption[]): TcpOption[] {
  let room = 40;
  return all.filter((each) => (sizeOf(each) <= room ? ((room -= sizeOf(each)), true) : false));
}

const flags = fc.tuple(...flagNames.map(() => fc.boolean())).map((bits) => Object.fromEntries(flagNames.map((name, at) => [name, bits[at]])) as Flags);

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
  options: fc.array(option, { maxLength: 6 }).map(fitting),
  payload: bytes(64),
  ip: rec({ ttl: byte, tos: byte, identification: word, dontFragment: fc.boolean(), reserved: fc.boolean(), options: fc.integer({ min: 0, max: 10 }).chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })) }),
  checksums: fc.constant({}),
});
