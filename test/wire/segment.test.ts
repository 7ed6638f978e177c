import assert from "node:assert/strict";
import fc from "fast-check";
import { anatomy } from "../../dist/wire/anatomy";
import { notation } from "../../dist/wire/notation";
import { decode, encode, type SegmentFields, segment } from "../../dist/wire/segment";
import { SegmentError } from "../../dist/wire/segment-error";
import { anySegment } from "./arbitrary-segment";

const ends = { source: { address: "192.168.1.100", port: 54321 }, destination: { address: "10.0.0.1", port: 8080 } };
const syn = segment({ ...ends, sequence: 1000, flags: { syn: true }, options: [{ kind: "mss", mss: 1460 }] });

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function refuses(action: () => unknown, ...parts: RegExp[]): void {
  assert.throws(action, (error: Error) => {
    assert.ok(error instanceof SegmentError, String(error));
    for (const part of parts) assert.match(error.message, part);
    return true;
  });
}

describe("a segment", () => {
  it("is written byte for byte as the RFCs say", () => {
    // checksums reckoned by another program (struct and a loop in Python)
    assert.equal(
      hex(encode(syn)),
      "4500002c0000400040066ebfc0a801640a000001d4311f90000003e8000000006002ffffd46f0000020405b4",
    );
  });

  it("comes back from its bytes as it was", () => {
    fc.assert(
      fc.property(anySegment, (made) => assert.deepEqual(decode(encode(made)), made)),
      { numRuns: 2000 },
    );
  });

  it("decodes to what encodes to the same bytes", () => {
    fc.assert(
      fc.property(anySegment, fc.uint8Array({ maxLength: 12 }), (made, behind) => {
        const packet = encode(made);
        assert.equal(
          hex(encode(decode(Buffer.concat([packet, behind])))),
          hex(packet),
          "what stands behind the packet is ignored",
        );
      }),
    );
  });

  it("keeps wrong checksums that were asked for by name", () => {
    const wrong = encode({ ...syn, checksums: { ip: 0xdead, tcp: 0xbeef } });
    refuses(() => decode(wrong), /IPv4 header's checksum at byte 10/);
    refuses(() => decode(encode({ ...syn, checksums: { tcp: 0xbeef } })), /TCP checksum at byte 36/);
    const read = decode(wrong, { verify: false });
    assert.deepEqual(read.checksums, { ip: 0xdead, tcp: 0xbeef });
    assert.equal(hex(encode(read)), hex(wrong));
  });

  it("says where bytes are wrong", () => {
    const good = encode(syn);
    const changed = (at: number, value: number) =>
      Uint8Array.from(good, (byte, index) => (index === at ? value : byte));
    refuses(() => decode(new Uint8Array()), /cut off.*20 bytes.*has 0/);
    for (let length = 0; length < good.length; length++) refuses(() => decode(good.subarray(0, length)), /cut off/);
    refuses(() => decode(changed(0, 0x65)), /^This is not an IPv4 packet: byte 0 gives version 6\.$/);
    refuses(() => decode(changed(0, 0x44)), /byte 0.*16 bytes/);
    refuses(() => decode(changed(9, 17)), /^This is not TCP: byte 9 gives protocol 17\.$/);
    refuses(() => decode(changed(6, 0x20)), /fragment.*byte 6/);
    refuses(() => decode(changed(3, 24)), /TCP header needs 20 bytes.*has 4/);
    refuses(() => decode(changed(32, 0x40)), /byte 32.*16 bytes/);
    refuses(() => decode(changed(32, 0xf0)), /byte 32.*60 bytes.*ends after 24/);
    const options = (...bytes: number[]) => {
      const packet = encode({ ...syn, options: [{ kind: "unknown", number: 99, data: new Uint8Array(2) }] });
      packet.set(bytes, 40);
      return () => decode(packet, { verify: false });
    };
    refuses(
      options(2, 9, 0, 0),
      /^Option 2 \(maximum segment size\) at byte 40 has the length 9, and the header ends after 4 bytes\.$/,
    );
    refuses(
      options(2, 3, 0, 1),
      /^Option 2 \(maximum segment size\) at byte 40 has the length 3, which this option never has\.$/,
    );
    refuses(options(200, 1, 0, 0), /^Option 200 at byte 40 has the length 1; the least is 2\.$/);
    refuses(options(1, 1, 1, 200), /Option 200 at byte 43 has no length/);
    refuses(() => decode("SYN" as never), /Uint8Array/);
  });

  it("names the place of the trouble as a number, too", () => {
    try {
      decode(Uint8Array.from(encode(syn), (byte, at) => (at === 9 ? 17 : byte)));
      assert.fail("no error");
    } catch (error) {
      assert.equal((error as SegmentError).offset, 9);
      assert.equal((error as SegmentError).code, "ERR_SEGMENT");
    }
  });

  it("refuses values that do not fit their fields", () => {
    refuses(() => encode({ ...syn, source: { address: "10.0.0.1", port: 70_000 } }), /source.port.*65,535.*70000/);
    assert.throws(() => encode({ ...syn, source: { address: "10.0.0.256", port: 1 } }), /source.address.*10.0.0.256/);
    refuses(() => encode({ ...syn, sequence: -1 }), /sequence.*-1/);
    refuses(() => encode({ ...syn, sequence: 2 ** 32 }), /sequence/);
    refuses(() => encode({ ...syn, window: 1.5 }), /window/);
    refuses(
      () => encode({ ...syn, options: Array.from({ length: 11 }, () => ({ kind: "mss" as const, mss: 1 })) }),
      /options take 44 bytes.*40/,
    );
    refuses(() => encode({ ...syn, options: [{ kind: "bogus" } as never] }), /no TCP option "bogus"/);
    refuses(() => encode({ ...syn, options: [{ kind: "sack", blocks: [] }] }), /1 to 4 blocks/);
    refuses(
      () => encode({ ...syn, options: [{ kind: "unknown", number: 2, data: new Uint8Array() }] }),
      /maximum segment size/,
    );
    refuses(() => encode({ ...syn, payload: new Uint8Array(65_600) }), /65,535/);
    refuses(() => encode({ ...syn, ip: { options: new Uint8Array(3) } }), /multiple of 4/);
  });

  it("refuses what would be written as something else", () => {
    const option = (given: unknown) => () => encode({ ...syn, options: [given] as never });
    refuses(option({ kind: "fastOpen", cookie: "ab" }), /cookie must be a Uint8Array.*"ab"/);
    refuses(option({ kind: "unknown", number: 9, data: "ab" }), /data must be a Uint8Array/);
    refuses(option({ kind: "unknown", number: "9", data: new Uint8Array() }), /number of an option.*"9"/);
    refuses(option({ kind: "end", padding: [1, 2, 300] }), /padding must be a Uint8Array/);
    refuses(option({ kind: "mss", mss: "1460" }), /mss.*"1460"/);
    refuses(option({ kind: "mss", mss: 1460, size: 1 }), /option mss has no field "size"/);
    refuses(option({ kind: "sack", blocks: "ab" }), /array of 1 to 4 blocks/);
    refuses(option({ kind: "sack", blocks: [{ left: 1, rigth: 2 }] }), /SACK block has no field "rigth"/);
    refuses(option({ kind: "toString" }), /no TCP option "toString"/);
    refuses(option(null), /no TCP option/);
    refuses(() => encode({ ...syn, options: { kind: "nop" } as never }), /array of TCP options/);
    refuses(() => encode({ ...syn, payload: [1, 2] as never }), /payload must be a Uint8Array/);
    refuses(() => encode({ ...syn, ip: { options: "abcd" as never } }), /ip\.options must be a Uint8Array/);
    refuses(() => encode({ ...syn, ip: { dontfragment: false } as never }), /ip has no field "dontfragment"/);
    refuses(() => encode({ ...syn, ip: { dontFragment: 0 as never } }), /ip\.dontFragment must be true or false/);
    refuses(() => encode({ ...syn, checksums: { tpc: 1 } as never }), /checksums has no field "tpc"/);
    refuses(() => encode({ ...syn, windw: 1 } as never), /segment has no field "windw"/);
    refuses(() => encode({ flags: { syn: true } } as never), /source of a segment must be an object, not undefined/);
    refuses(() => encode("x" as never), /^A segment must be an object, not "x"\.$/);
  });

  const of = (fields: Partial<SegmentFields>) => notation(segment({ ...ends, ...fields }));

  it("is printed as packetdrill writes it", () => {
    assert.equal(
      notation(syn, "in", { base: { sequence: 1000, acknowledgment: 0 } }),
      "< S 0:0(0) win 65535 <mss 1460>",
    );
    const answer = segment({
      ...ends,
      sequence: 7,
      acknowledgment: 1001,
      flags: { syn: true, ack: true },
      window: 1,
      options: [
        { kind: "mss", mss: 1460 },
        { kind: "sackPermitted" },
        { kind: "timestamps", value: 4, echo: 5 },
        { kind: "nop" },
        { kind: "windowScale", shift: 7 },
      ],
    });
    assert.equal(
      notation(answer, "out", { base: { sequence: 7, acknowledgment: 1000 } }),
      "> S. 0:0(0) ack 1 win 1 <mss 1460,sackOK,TS val 4 ecr 5,nop,wscale 7>",
    );
    assert.equal(
      of({ flags: { psh: true, ack: true }, sequence: 1, acknowledgment: 1, payload: Buffer.from("hello") }),
      "P. 1:6(5) ack 1 win 65535",
    );
    assert.equal(of({ flags: { fin: true, ack: true }, sequence: 6, acknowledgment: 1 }), "F. 6:6(0) ack 1 win 65535");
    assert.equal(of({ flags: { rst: true }, sequence: 6, window: 0 }), "R 6:6(0) win 0");
  });

  it("is printed with its SACK blocks, its cookie, and numbers that wrap around", () => {
    assert.equal(
      of({
        options: [
          {
            kind: "sack",
            blocks: [
              { left: 1, right: 2 },
              { left: 5, right: 9 },
            ],
          },
        ],
      }),
      "- 0:0(0) win 65535 <sack 1:2 5:9>",
    );
    const blocks = segment({
      ...ends,
      sequence: 8,
      acknowledgment: 1001,
      flags: { ack: true },
      options: [
        {
          kind: "sack",
          blocks: [
            { left: 1006, right: 1011 },
            { left: 999, right: 1000 },
          ],
        },
      ],
    });
    assert.equal(
      notation(blocks, "out", { base: { sequence: 7, acknowledgment: 1000 } }),
      "> . 1:1(0) ack 1 win 65535 <sack 6:11 4294967295:0>",
      "blocks are the other side's numbers",
    );
    assert.equal(
      of({ options: [{ kind: "fastOpen", cookie: Uint8Array.of(1, 255) }] }),
      "- 0:0(0) win 65535 <FO 01ff>",
    );
    assert.equal(
      notation(segment({ ...ends, sequence: 2 ** 32 - 1, flags: { ack: true }, payload: Buffer.from("ab") }), "in", {
        base: { sequence: 2 ** 32 - 2, acknowledgment: 0 },
      }),
      "< . 1:3(2) ack 0 win 65535",
      "numbers wrap around",
    );
  });

  it("is taken apart into parts that cover every byte once", () => {
    fc.assert(
      fc.property(anySegment, (made) => {
        const packet = encode(made);
        const parts = anatomy(packet);
        let end = 0;
        for (const part of parts) {
          assert.equal(part.offset, end, part.name);
          end += part.length;
        }
        assert.equal(end, packet.length);
      }),
    );
    const flags = anatomy(encode(syn)).find(({ name }) => name === "flags")!;
    assert.deepEqual(flags, { offset: 33, length: 1, layer: "TCP", name: "flags", bytes: "02", value: "SYN" });
  });
});
