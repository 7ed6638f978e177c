import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import type { TcpOption } from "../../dist/wire/options";
import { pcapng } from "../../dist/wire/pcapng";
import { encode, flagNames, locate } from "../../dist/wire/segment";
import { skip } from "../fixtures/skip";
import { TemporaryFolder } from "../fixtures/temporary-folder";
import { anySegment } from "./arbitrary-segment";

const segments = 300;
/** No checksum of a right packet: 0xffff is right where 0 is. */
const wrongChecksum = fc.integer({ min: 1, max: 0xfffe });
const kinds = {
  end: 0,
  nop: 1,
  mss: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  fastOpen: 34,
} as const;

/** SCPS, its SNACK, MPTCP, Riverbed's two: tshark looks into them, and gives up the whole segment where their insides are no such thing. */
const lookedInto = [20, 21, 30, 76, 78];

/** Any segment whose IPv4 options are filling: tshark follows source routes, and then names their last stop as the destination. */
const plain = anySegment
  .filter(({ options }) => !options.some((option) => lookedInto.includes(numberOf(option))))
  .map((made) => ({ ...made, ip: { ...made.ip, options: new Uint8Array(made.ip.options.length).fill(kinds.nop) } }));

function numberOf(option: TcpOption): number {
  return option.kind === "unknown" ? option.number : kinds[option.kind];
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const status = (wrong?: number) => (wrong === undefined ? "1" : "0");

/** What tshark must say of a packet, by the name of its field. */
function expected(bytes: Uint8Array): Record<string, unknown> {
  const { segment, tcp, payload, end } = locate(bytes, { verify: false });
  const all = <Kind extends TcpOption["kind"]>(kind: Kind) =>
    segment.options.filter((option): option is Extract<TcpOption, { kind: Kind }> => option.kind === kind);
  const blocks = all("sack").flatMap((option) => option.blocks);
  return {
    "ip.src": segment.source.address,
    "ip.dst": segment.destination.address,
    "ip.hdr_len": tcp,
    "ip.len": end,
    "ip.dsfield": segment.ip.tos,
    "ip.id": segment.ip.identification,
    "ip.flags.df": segment.ip.dontFragment,
    "ip.flags.rb": segment.ip.reserved,
    "ip.ttl": segment.ip.ttl,
    "ip.checksum.status": status(segment.checksums.ip),
    "tcp.srcport": segment.source.port,
    "tcp.dstport": segment.destination.port,
    "tcp.seq_raw": segment.sequence,
    "tcp.ack_raw": segment.acknowledgment,
    "tcp.hdr_len": payload - tcp,
    "tcp.flags": flagNames.reduce(
      (bits, name, at) => bits | (segment.flags[name] ? 1 << at : 0),
      segment.reserved << 8,
    ),
    "tcp.window_size_value": segment.window,
    "tcp.urgent_pointer": segment.urgentPointer,
    "tcp.checksum.status": status(segment.checksums.tcp),
    "tcp.len": segment.payload.length,
    // tshark takes the data of an RST for its reason, a text (RFC 9293, 3.5.3)
    "tcp.payload": segment.flags.rst ? "" : hex(segment.payload),
    "tcp.options": hex(bytes.subarray(tcp + 20, payload)),
    "tcp.option_kind": segment.options.map(numberOf),
    "tcp.options.mss_val": all("mss").map(({ mss }) => mss),
    "tcp.options.wscale.shift": all("windowScale").map(({ shift }) => shift),
    "tcp.options.sack_le": blocks.map(({ left }) => left),
    "tcp.options.sack_re": blocks.map(({ right }) => right),
    "tcp.options.timestamp.tsval": all("timestamps").map(({ value }) => value),
    "tcp.options.timestamp.tsecr": all("timestamps").map(({ echo }) => echo),
    "tcp.options.tfo.cookie": all("fastOpen")
      .map(({ cookie }) => hex(cookie))
      .filter((cookie) => cookie !== ""),
  };
}

/** In one spelling: tshark writes some numbers in hexadecimal, lists with commas, and a kind 0 for each byte that fills a header up. */
function spelled(fields: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const text = typeof value === "boolean" ? (value ? "1" : "0") : String(value);
      if (name === "tcp.option_kind")
        return [
          name,
          text
            .split(",")
            .filter((kind) => kind !== "0" && kind !== "")
            .join(),
        ];
      return [name, /^0x/.test(text) ? String(Number(text)) : text];
    }),
  );
}

describe("tshark", function () {
  this.timeout(60_000);
  const seed = Math.floor(Math.random() * 2 ** 31);

  it(`reads ${segments} arbitrary segments, wrong checksums among them, field by field as we do (seed ${seed})`, function () {
    const drawn = fc.sample(
      fc.tuple(plain, fc.option(wrongChecksum, { freq: 3 }), fc.option(wrongChecksum, { freq: 3 })),
      { numRuns: segments, seed },
    );
    const packets = drawn.map(([made, ip, tcp]) => {
      const checksums = { ...(ip !== null && { ip }), ...(tcp !== null && { tcp }) };
      return encode({ ...made, checksums });
    });
    const wanted = packets.map(expected);
    const names = Object.keys(wanted[0]);
    using folder = new TemporaryFolder("pcap");
    let output: string;
    try {
      const capture = pcapng(packets.map((bytes, at) => ({ time: at, direction: "in", bytes })));
      const file = folder.write("segments.pcapng", capture);
      const settings = [
        "tcp.check_checksum:TRUE",
        "ip.check_checksum:TRUE",
        "tcp.analyze_sequence_numbers:FALSE",
        "tcp.desegment_tcp_streams:FALSE",
      ].flatMap((setting) => ["-o", setting]);
      output = execFileSync(
        "tshark",
        ["-n", "-r", file, ...settings, "-T", "fields", "-E", "separator=/t", ...names.flatMap((name) => ["-e", name])],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        skip(this, "tshark is not installed (sudo apt-get install tshark)");
      throw error;
    }
    const rows = output.replace(/\n$/, "").split("\n");
    assert.equal(rows.length, packets.length);
    rows.forEach((row, at) => {
      const said = Object.fromEntries(row.split("\t").map((text, column) => [names[column], text]));
      assert.deepEqual(spelled(said), spelled(wanted[at]), `packet ${at + 1}: ${hex(packets[at])}`);
    });
  });
});
