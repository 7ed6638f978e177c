import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { Lab } from "../../dist/front-door";
import { ArgumentError, ClosedError, type LabError, messageWithHint } from "../../dist/errors";
import type { Listener } from "../../dist/listener/listener";
import { optionOf, type Segment } from "../../dist/wire/segment";
import { SegmentError } from "../../dist/wire/segment-error";
import type { Wire } from "../../dist/wire/wire";
import { skip } from "../fixtures/skip";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { sleep, until } from "../fixtures/waiting";

const tsharkFields = {
  source: "ip.src",
  from: "tcp.srcport",
  to: "tcp.dstport",
  sequence: "tcp.seq_raw",
  acknowledgment: "tcp.ack_raw",
  flags: "tcp.flags",
  window: "tcp.window_size_value",
  length: "tcp.len",
  mss: "tcp.options.mss_val",
  shift: "tcp.options.wscale.shift",
  clock: "tcp.options.timestamp.tsval",
  tcpChecksum: "tcp.checksum.status",
  ipChecksum: "ip.checksum.status",
  time: "frame.time_epoch",
};
type TsharkRow = Record<keyof typeof tsharkFields, string>;

/** What tshark says of each packet of a capture. */
function readByTshark(context: Mocha.Context, file: string): TsharkRow[] {
  const settings = ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE"].flatMap((setting) => ["-o", setting]);
  const fields = Object.values(tsharkFields).flatMap((field) => ["-e", field]);
  let output: string;
  try {
    output = execFileSync("tshark", ["-r", file, ...settings, "-T", "fields", ...fields], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      skip(context, "tshark is not installed (sudo apt-get install tshark)");
    throw error;
  }
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const values = line.split("\t");
      return Object.fromEntries(Object.keys(tsharkFields).map((name, column) => [name, values[column]])) as TsharkRow;
    });
}

function assertSameSegment(said: TsharkRow, segment: Segment): void {
  assert.deepEqual(
    [said.source, Number(said.from), Number(said.to)],
    [segment.source.address, segment.source.port, segment.destination.port],
  );
  assert.deepEqual([said.sequence, said.acknowledgment, said.window, said.length].map(Number), [
    segment.sequence,
    segment.acknowledgment,
    segment.window,
    segment.payload.length,
  ]);
  assert.equal(
    Number(said.flags) & 255,
    Object.values(segment.flags).reduce((bits, set, bit) => bits | (set ? 1 << bit : 0), 0),
  );
  assert.equal(said.mss, String(optionOf(segment, "mss")?.mss ?? ""));
  assert.equal(said.shift, String(optionOf(segment, "windowScale")?.shift ?? ""));
  assert.equal(said.clock, String(optionOf(segment, "timestamps")?.value ?? ""));
  assert.deepEqual([said.tcpChecksum, said.ipChecksum], ["1", "1"], "tshark finds the checksums right");
  assert.ok(Math.abs(Number(said.time) * 1000 - Date.now()) < 60_000);
}

describe("the Wire", () => {
  let lab: Lab;
  let listener: Listener;
  let wire: Wire;
  beforeEach(async () => {
    lab = await Lab.open();
    listener = await lab.listen({ port: 8080, backlog: 8 });
    wire = await lab.wire();
  });
  afterEach(() => lab.close());

  it("freezes a handshake at every step", async () => {
    const peer = wire.peer(listener, { sequence: 1000 });
    assert.deepEqual([listener.synQueue, listener.acceptQueue], [0, 0]);
    peer.syn();
    await sleep(50); // time in which a client's kernel would answer
    assert.deepEqual([listener.synQueue, listener.acceptQueue], [1, 0], "nothing answers for the peer");
    const answer = await peer.receive();
    assert.ok(answer.flags.syn && answer.flags.ack && !answer.flags.rst);
    assert.equal(answer.acknowledgment, 1001);
    assert.deepEqual(answer.destination, { address: peer.address, port: peer.port });
    assert.equal(peer.acknowledgment, (answer.sequence + 1) >>> 0);
    await sleep(50); // time in which a client's kernel would answer
    assert.deepEqual([listener.synQueue, listener.acceptQueue], [1, 0]);
    peer.ack();
    assert.deepEqual([listener.synQueue, listener.acceptQueue], [0, 1]);
    peer.send("early");
    const connection = listener.tryAccept()!;
    assert.equal(String(await connection.read()), "early");
    await connection.write("late");
    await peer.receive(); // the ACK of "early"
    const data = await peer.receive();
    assert.equal(Buffer.from(data.payload).toString(), "late");
    peer.ack();
    peer.fin();
    assert.equal(await connection.read({ timeout: 1000 }), null, "end of stream");
    await connection.close();
    const fin = await peer.receive();
    assert.ok(fin.flags.ack);
  });

  it("keeps the newest packets of a log that is full, and counts those that it has forgotten", () => {
    let seen = 0;
    wire.on("segment", () => seen++);
    // one byte is no packet: the near end throws it away and answers nothing
    for (let sent = 0; sent <= 100_000; sent++) wire.transmit(Uint8Array.of(0x45));
    const log = wire.log();
    assert.deepEqual([seen, log.length, log.forgotten], [100_001, 50_001, 50_000]);
  });

  it("resets and is reset", async () => {
    const peer = wire.peer(listener);
    await peer.handshake();
    const connection = listener.tryAccept()!;
    peer.rst();
    await assert.rejects(connection.read({ timeout: 500 }), { code: "ECONNRESET" });
    const nobody = wire.peer(9999);
    await assert.rejects(nobody.handshake(), { code: "ECONNREFUSED", message: /9999/ });
  });

  it("lets several peers talk at once, each hearing its own answers", async () => {
    const peers = Array.from({ length: 9 }, (_, at) =>
      wire.peer(listener, { address: `10.9.0.${at + 1}`, port: 1000 + at }),
    );
    for (const peer of peers) peer.syn();
    for (const peer of peers) {
      const answer = await peer.receive();
      assert.deepEqual(answer.destination, { address: peer.address, port: peer.port });
      assert.equal(peer.tryReceive(), null);
    }
    assert.equal(listener.synQueue, 9);
    for (const peer of peers) peer.ack();
    assert.equal(listener.acceptQueue, 9);
    assert.deepEqual(
      listener.acceptAll().map(({ remote }) => `${remote.address}:${remote.port}`),
      peers.map(({ address, port }) => `${address}:${port}`),
    );
  });

  it("carries options both ways, and timestamps in all that follows", async () => {
    const peer = wire.peer(listener);
    const answer = await peer.handshake({ mss: 1000, windowScale: 3, sack: true, timestamps: true });
    assert.ok(optionOf(answer, "sackPermitted") && optionOf(answer, "windowScale"));
    const clock = optionOf(answer, "timestamps")!;
    const sent = peer.send("x");
    assert.equal(optionOf(sent, "timestamps")!.echo, clock.value);
    const info = listener.tryAccept()!.info();
    assert.equal(info.options & 7, 7, "timestamps, SACK, window scaling");
    assert.equal(info.sndWscale, 3);
    assert.ok(info.sndMss <= 1000);
  });

  it("sends raw segments and raw bytes, wrong ones too", async () => {
    const peer = wire.peer(listener, { sequence: 5 });
    const before = lab.counters();
    peer.raw({ flags: { syn: true }, sequence: 5, checksums: { tcp: 1 } });
    assert.equal(lab.counters().since(before).get("Tcp.InCsumErrors"), 1);
    assert.equal(listener.synQueue, 0, "the kernel has looked at the checksum");
    peer.raw(Uint8Array.of(0x45, 0, 0, 1));
    assert.match(wire.log().lines().join("\n"), /4 bytes that are not a TCP segment/);
    assert.throws(() => peer.raw({ source: { address: "10.0.0.9", port: 70_000 } }), /source.port.*70000/);
    assert.throws(() => peer.raw(new Uint8Array(3000)), {
      code: "EMSGSIZE",
      message: "A packet of 3000 bytes cannot be sent: EMSGSIZE (send).",
      hint: "The link's MTU is 1500 bytes. Send less data in one segment.",
    });
  });

  it("logs all segments in the order of their times, in packetdrill's notation", async () => {
    const peer = wire.peer(listener, { sequence: 4_000_000_000 });
    await peer.handshake();
    peer.send("hello");
    await peer.receive();
    const log = wire.log();
    assert.equal(log.length, 5);
    const times = log.entries.map(({ time }) => time);
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    );
    const lines = log.lines();
    assert.match(lines[0], /^0\.000000 < S 0:0\(0\) win 65535 <mss 1460>$/);
    assert.match(lines[1], /^0\.\d{6} > S\. 0:0\(0\) ack 1 win \d+ <mss 1460>$/);
    assert.match(lines[2], /< \. 1:1\(0\) ack 1 win 65535$/);
    assert.match(lines[3], /< P\. 1:6\(5\) ack 1/);
    assert.match(lines[4], /> \. 1:1\(0\) ack 6/);
    assert.match(log.lines({ relative: false })[0], /S 4000000000:4000000000/);
    const other = wire.peer(listener);
    other.syn();
    assert.equal(wire.log(other).length, 2);
    assert.match(
      wire.log().lines()[5],
      new RegExp(`${other.address}:40000 < S`),
      "with two connections, lines say whose they are",
    );
  });

  it("logs SACK blocks with relative numbers, too", async () => {
    const peer = wire.peer(listener, { sequence: 4_294_967_290 });
    await peer.handshake({ sack: true });
    const first = peer.sequence;
    peer.send("later", { sequence: (first + 5) >>> 0 }); // a hole of 5 bytes, and the numbers wrap around in it
    const answer = await peer.receive();
    assert.deepEqual(optionOf(answer, "sack"), {
      kind: "sack",
      blocks: [{ left: (first + 5) >>> 0, right: (first + 10) >>> 0 }],
    });
    const lines = wire.log(peer).lines({ ends: false });
    assert.match(lines[0], /< S 0:0\(0\) win 65535 <mss 1460,nop,nop,sackOK>$/);
    assert.match(lines[1], /> S\. 0:0\(0\) ack 1 win \d+ <.*sackOK.*>$/);
    assert.match(lines[4], /> \. 1:1\(0\) ack 1 win \d+ <nop,nop,sack 6:11>$/);
    assert.match(wire.log(peer).lines({ relative: false })[4], /sack 0:5>$/);
    peer.ack({
      options: [
        { kind: "sack", blocks: [{ left: (answer.sequence + 10) >>> 0, right: (answer.sequence + 20) >>> 0 }] },
      ],
    });
    assert.match(wire.log(peer).lines()[5], /< .*<sack 11:21>$/, "blocks of the peer count from the kernel's number");
  });

  it("tells connections from the same address and port to two listeners apart", async () => {
    const second = await lab.listen({ port: 8081, backlog: 4 });
    const ends = { address: "10.2.0.5", port: 1234 };
    const [one, two] = [
      wire.peer(listener, { ...ends, sequence: 1000 }),
      wire.peer(second, { ...ends, sequence: 2000 }),
    ];
    const [oneLadder, twoLadder] = [
      await lab.ladder(listener, one, { live: false }),
      await lab.ladder(second, two, { live: false }),
    ];
    await one.handshake();
    two.syn();
    await two.receive();
    assert.equal(wire.log(one).length, 3);
    assert.deepEqual(
      wire
        .log(two)
        .entries.map(({ segment, direction }) => [
          direction,
          (direction === "in" ? segment!.destination : segment!.source).port,
        ]),
      [
        ["in", 8081],
        ["out", 8081],
      ],
    );
    const labels = (ladder: typeof oneLadder) =>
      ladder.steps.slice(1).map(({ label, detail, after }) => `${label} ${detail}: ${after.place}`);
    assert.deepEqual(labels(oneLadder), [
      "SYN seq 0: SYN queue",
      "SYN, ACK seq 0, ack 1: SYN queue",
      "ACK seq 1, ack 1: accept queue",
    ]);
    assert.deepEqual(labels(twoLadder), ["SYN seq 0: SYN queue", "SYN, ACK seq 0, ack 1: SYN queue"]);
    await assert.rejects(
      lab.ladder(listener, two, { live: false }),
      (error: Error) =>
        error instanceof ArgumentError &&
        /^The peer sends to port 8081, and the listener has port 8080\.$/.test(error.message),
    );
  });

  it("writes captures that tshark reads as we do", async function () {
    const peer = wire.peer(listener, { sequence: 77 });
    await peer.handshake({ mss: 1234, windowScale: 5, sack: true, timestamps: true });
    peer.send("GET /");
    peer.fin();
    await until(
      () => peer.receiveAll().some(({ acknowledgment }) => acknowledgment === peer.sequence),
      "the FIN is acknowledged",
    );
    using folder = new TemporaryFolder("pcap");
    const file = folder.path("wire.pcapng");
    const count = await wire.toPcap(file);
    const rows = readByTshark(this, file);
    assert.equal(rows.length, count);
    const entries = wire.log().entries.slice(0, count);
    for (const [at, row] of rows.entries()) assertSameSegment(row, entries[at].segment!);
    await assert.rejects(wire.toPcap(folder.path("none", "x.pcapng")), {
      code: "ENOENT",
      hint: "The directory does not exist.",
    });
  });

  it("says what is wrong with a peer that cannot be", () => {
    const refuses = (action: () => unknown, pattern: RegExp) =>
      assert.throws(action, (error: Error) => error instanceof ArgumentError && pattern.test(error.message));
    refuses(() => wire.peer(listener, { port: 70_000 }), /port.*65,535.*70000/);
    refuses(() => wire.peer(listener, { port: 0 }), /port/);
    refuses(
      () => wire.peer(listener, { address: "192.168.1.100" }),
      /192\.168\.1\.100 is outside the wire's network 10\.0\.0\.0\/8/,
    );
    refuses(() => wire.peer(listener, { address: lab.address }), /the Lab's own/);
    refuses(() => wire.peer(listener, { address: "10.1.0.1" }), /mirrors/);
    refuses(() => wire.peer(listener, { address: "10.200.0.1" }), /ghosts/);
    refuses(() => wire.peer(listener, { address: "ten" }), /IPv4 address.*ten/);
    refuses(() => wire.peer(listener, { sequence: -1 }), /sequence/);
    refuses(() => wire.peer(listener, { adress: "10.2.0.1" } as never), /no option "adress"/);
    refuses(() => wire.peer("8080" as never), /port of the listener/);
    wire.peer(listener, { address: "10.2.0.77" });
    refuses(() => wire.peer(listener, { address: "10.2.0.77" }), /10\.2\.0\.77:40000.*already/);
    refuses(() => wire.peer(listener).syn({ windowScale: 15 }), /windowScale/);
    refuses(() => wire.peer(listener).send(""), /^send\(\) needs data\.$/);
    refuses(() => wire.peer(listener).syn({ mms: 3 } as never), /no option "mms"/);
  });

  it("sends nothing where something else was meant", async () => {
    const peer = wire.peer(listener, { sequence: 1000 });
    const refuses = (action: () => unknown, says: RegExp, type: new (...given: never[]) => Error = ArgumentError) =>
      assert.throws(action, (error: Error) => {
        assert.ok(error instanceof type, String(error));
        assert.match(messageWithHint(error), says);
        return true;
      });
    refuses(() => peer.syn({ fastOpen: "x" as never }), /fastOpen.*Uint8Array.*"x"/);
    refuses(() => peer.syn({ mss: -1 }), /mss must be an integer from 0 to 65,535, not -1/);
    refuses(() => peer.syn({ mss: "1460" as never }), /mss/);
    refuses(() => peer.syn({ sack: 1 as never }), /sack must be true or false, not 1/);
    refuses(() => peer.syn({ timestamps: "yes" as never }), /timestamps.*"yes"/);
    refuses(() => peer.ack({ ackno: 3 } as never), /ack\(\) has no option "ackno"\.\n→ It has: .*acknowledgment/);
    refuses(() => peer.ack({ payload: Buffer.from("x") } as never), /ack\(\) has no option "payload"/);
    refuses(() => peer.send(5 as never), /^Data must be a text or a Uint8Array, not 5\.$/);
    refuses(() => peer.send(""), /^send\(\) needs data\.\n→ ack\(\) sends a segment without data\.$/);
    refuses(() => peer.send("x", { sequenc: 3 } as never), /send\(\) has no option "sequenc"/);
    refuses(() => peer.fin({ flag: {} } as never), /fin\(\) has no option "flag"/);
    refuses(() => peer.rst({ windows: 1 } as never), /rst\(\) has no option "windows"/);
    refuses(() => peer.raw(undefined as never), /raw\(\) takes an object/);
    refuses(() => peer.raw("x" as never), /raw\(\) takes an object.*"x"/);
    refuses(() => peer.raw({ sequences: 1 } as never), /raw\(\) has no option "sequences"/);
    refuses(
      () => peer.raw({ payload: "hi" as never }),
      /payload must be a Uint8Array of bytes, not "hi"/,
      SegmentError,
    );
    refuses(
      () => peer.raw({ flags: { synn: true } as never }),
      /^flags has no field "synn"\.\n→ Its fields are .*\bsyn\b/,
      SegmentError,
    );
    refuses(() => peer.raw({ flags: { syn: 1 as never } }), /flags\.syn must be true or false, not 1/, SegmentError);
    refuses(() => peer.ack({ flags: { pshh: true } as never }), /"pshh"/, SegmentError);
    refuses(() => wire.log().lines({ relativ: false } as never), /lines\(\) has no option "relativ"/);
    for (const [options, says] of [
      [{ timeot: 5 }, /receive\(\) has no option "timeot"/],
      [{ timeout: -1 }, /timeout \(ms\).*-1/],
      [{ timeout: NaN }, /timeout \(ms\).*NaN/],
      [5, /receive\(\) takes an object.*5/],
    ] as [never, RegExp][]) {
      await assert.rejects(
        peer.receive(options),
        (error: Error) => error instanceof ArgumentError && says.test(error.message),
      );
    }
    await assert.rejects(peer.handshake({ timeout: -1 }), /timeout \(ms\)/);
    await assert.rejects(peer.handshake({ timeot: 1 } as never), /handshake\(\) has no option "timeot"/);
    assert.equal(wire.log().length, 0, "not one segment has gone out");
    await peer.handshake(); // and the peer is as it was
    assert.equal(peer.sequence, 1001);
  });

  it("says when nothing comes, and when it is closed", async () => {
    const peer = wire.peer(listener);
    await assert.rejects(
      peer.receive({ timeout: 30 }),
      (error: LabError) =>
        error.code === "ETIMEDOUT" && /^No segment arrived at 10\.2\.0\.1:40000 within 30 ms\.$/.test(error.message),
    );
    await Promise.all([wire.close(), wire.close()]);
    assert.throws(() => peer.syn(), ClosedError);
    await assert.rejects(peer.receive({ timeout: 30 }), ClosedError);
    const again = await lab.wire();
    assert.notEqual(again, wire);
    await again.peer(listener).handshake();
    const dry = await Lab.open({ wire: false });
    await assert.rejects(dry.wire(), { code: "ENODEV" });
    await dry.close();
  });

  it("ends waiting peers when the Lab ends", async () => {
    const waiting = wire.peer(listener).receive({ timeout: 10_000 });
    await Promise.all([lab.close(), assert.rejects(waiting, ClosedError)]);
  });
});
