import assert from "node:assert/strict";
import fc from "fast-check";
import { Lab } from "../../dist/front-door";
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

/** One to four changes: a byte, a bit, a cut, a repetition. */
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
  return bytes;
}

describe("mutated segments", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const corpus = fc.sample(anySegment, { numRuns: 500, seed }).map((made) => encode(made));

  it(`a million of them are decoded or refused, and nothing else (seed ${seed})`, function () {
    this.timeout(120_000);
    const random = randomFrom(seed);
    let read = 0;
    let refused = 0;
    for (let at = 0; at < mutations; at++) {
      const bytes = mutate(corpus[at % corpus.length], random);
      try {
        const made = decode(bytes, { verify: at % 2 === 0 });
        read++;
        // what has been read can be written again
        if (at % 101 === 1) assert.deepEqual(encode(made), Uint8Array.from(bytes.subarray(0, bytes[2] * 256 + bytes[3])));
      } catch (error) {
        if (!(error instanceof SegmentError)) throw error;
        refused++;
      }
    }
    assert.equal(read + refused, mutations);
    assert.ok(read > mutations / 20 && refused > mutations / 20, `${read} read, ${refused} refused`);
  });

  it(`the Lab's kernel and this process survive ${injected.toLocaleString("en")} of them (seed ${seed})`, async function () {
    this.timeout(120_000);
    const random = randomFrom(seed + 1);
    const lab = await Lab.open();
    try {
      const listener = await lab.listen({ port: 8080, backlog: 64 });
      const wire = await lab.wire();
      const peer = wire.peer(listener);
      const before = lab.counters();
      let sent = 0;
      for (let at = 0; at < injected; at++) {
        // most of them such that the kernel looks at the TCP header, too
        const aimed = { ...decode(corpus[at % corpus.length]), source: { address: "10.3.0.1", port: 1 + Math.floor(random() * 65_000) }, destination: { address: lab.address, port: 8080 } };
        const bytes = mutate(encode({ ...aimed, ip: { ...aimed.ip, options: new Uint8Array() } }), random);
        if (bytes.length === 0 || bytes.length > 1500) continue;
        peer.raw(bytes);
        sent++;
        if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(sent > injected * 0.9);
      assert.ok(lab.counters().since(before).get("Ip.InReceives") > sent / 4, "the kernel has seen them");
      // and a handshake works as ever
      const answer = await wire.peer(listener, { address: "10.4.0.1" }).handshake();
      assert.ok(answer.flags.syn && answer.flags.ack);
      assert.ok((await wire.log()).length > 0);
    } finally {
      await lab.close();
    }
  });
});
