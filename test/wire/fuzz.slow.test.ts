import assert from "node:assert/strict";
import fc from "fast-check";
import { Lab } from "../../dist/front-door";
import { headerChecksum, segmentChecksum } from "../../dist/wire/checksum";
import { decode, encode } from "../../dist/wire/segment";
import { SegmentError } from "../../dist/wire/segment-error";
import { anySegment } from "./arbitrary-segment";

const mutations = 1_000_000;
const injected = 100_000;

/** A small generator whose seed is printed when a test fails. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One to four changes: a byte, a bit, a cut, a repetition. Half of them get right checksums, so that readers look behind those. */
function mutate(packet: Uint8Array, random: () => number): Uint8Array {
  let bytes = Uint8Array.from(packet);
  for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes--) {
    const at = Math.floor(random() * bytes.length);
    const kind = random();
    if (kind < 0.5) bytes[at] = Math.floor(random() * 256);
    else if (kind < 0.8) bytes[at] ^= 1 << Math.floor(random() * 8);
    else if (kind < 0.95) bytes = bytes.slice(0, at);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.floor(at / 2))]);
  }
  if (random() < 0.5) mend(bytes);
  return bytes;
}

function mend(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tcp = (bytes[0] & 15) * 4;
  if (!(tcp >= 20 && bytes.length >= tcp + 20)) return;
  const end = view.getUint16(2);
  view.setUint16(10, 0);
  view.setUint16(10, headerChecksum(bytes.subarray(0, tcp)));
  if (end < tcp + 20 || end > bytes.length) return;
  view.setUint16(tcp + 16, 0);
  view.setUint16(tcp + 16, segmentChecksum(bytes.subarray(12, 20), bytes.subarray(tcp, end)));
}

/** The same packets for the same seed, as many as asked for. */
function* mutants(corpus: readonly Uint8Array[], seed: number, count: number): Generator<Uint8Array> {
  const random = randomFrom(seed);
  for (let at = 0; at < count; at++) yield mutate(corpus[at % corpus.length], random);
}

describe("mutated segments", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  let lab: Lab;
  let corpus: Uint8Array[];
  before(async () => {
    lab = await Lab.open();
    corpus = fc.sample(anySegment, { numRuns: 500, seed }).map((made, at) => {
      // three of four such that the Lab's kernel looks at the TCP header, too: for the listener, and without source routes
      const aimed = {
        ...made,
        source: { address: "10.3.0.1", port: made.source.port },
        destination: { address: lab.address, port: 8080 },
        ip: { ...made.ip, options: new Uint8Array() },
      };
      return encode(at % 4 === 0 ? made : aimed);
    });
  });
  after(() => lab.close());

  it(`a million of them are decoded or refused, and nothing else (seed ${seed})`, function () {
    this.timeout(120_000);
    let read = 0;
    let refused = 0;
    for (const bytes of mutants(corpus, seed, mutations)) {
      const at = read + refused;
      try {
        const made = decode(bytes, { verify: at % 2 === 0 });
        read++;
        // what has been read can be written again
        if (at % 101 === 1)
          assert.deepEqual(encode(made), Uint8Array.from(bytes.subarray(0, bytes[2] * 256 + bytes[3])));
      } catch (error) {
        if (!(error instanceof SegmentError)) throw error;
        refused++;
      }
    }
    assert.equal(read + refused, mutations);
    assert.ok(read > mutations / 20 && refused > mutations / 20, `${read} read, ${refused} refused`);
  });

  it(`the Lab's kernel and this process survive the first ${injected.toLocaleString("en")} of the same (seed ${seed})`, async function () {
    this.timeout(120_000);
    const listener = await lab.listen({ port: 8080, backlog: 64 });
    const wire = await lab.wire();
    const peer = wire.peer(listener);
    const before = lab.counters();
    let sent = 0;
    for (const bytes of mutants(corpus, seed, injected)) {
      if (bytes.length === 0) continue;
      peer.raw(bytes);
      sent++;
      if (sent % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent > injected * 0.9);
    const seen = lab.counters().since(before);
    assert.ok(seen.get("Ip.InReceives") > sent / 4, "the kernel has seen them");
    assert.ok(seen.get("Tcp.InSegs") - seen.get("Tcp.InCsumErrors") > sent / 20, "and looked behind the checksums");
    // and a handshake works as ever
    const answer = await wire.peer(listener, { address: "10.4.0.1" }).handshake();
    assert.ok(answer.flags.syn && answer.flags.ack);
    assert.ok(wire.log().length > 0);
  });
});
