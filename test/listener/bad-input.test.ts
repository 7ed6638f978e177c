import assert from "node:assert/strict";
import { ArgumentError, Lab, LabError, LimitError, type Listener } from "../../dist/index";
import { native } from "../../dist/native";

// Each: a typed error that names the thing; and afterwards the same Lab works.
const cases: [
  name: string,
  type: new (...given: never[]) => Error,
  says: RegExp,
  call: (lab: Lab, listener: Listener) => unknown,
  hint?: string | RegExp,
][] = [
  [
    "a busy port",
    LabError,
    /^Cannot listen on 0\.0\.0\.0:8080: EADDRINUSE \(bind\)\.$/,
    (lab) => lab.listen({ port: 8080 }),
    "Another socket of this Lab listens on port 8080. Close it, choose another port, or give both reusePort: true.",
  ],
  [
    "a port of 70000",
    ArgumentError,
    /port must be an integer from 0 to 65,535, not 70000/,
    (lab) => lab.listen({ port: 70000 }),
  ],
  ["a port that is no number", ArgumentError, /port.*"http"/, (lab) => lab.listen({ port: "http" as never })],
  [
    "a backlog that is no integer",
    ArgumentError,
    /backlog must be an integer.*1\.5/,
    (lab) => lab.listen({ backlog: 1.5 }),
  ],
  ["a backlog of NaN", ArgumentError, /backlog.*NaN/, (lab) => lab.listen({ backlog: NaN })],
  ["a backlog beyond 32 bits", ArgumentError, /backlog/, (lab) => lab.listen({ backlog: 2 ** 40 })],
  [
    "a misspelt option",
    ArgumentError,
    /^listen\(\) has no option "backlogg"\.$/,
    (lab) => lab.listen({ backlogg: 5 } as never),
    /^It has: .*\bbacklog\b/,
  ],
  [
    "an address of somebody else",
    LabError,
    /^Cannot listen on 8\.8\.8\.8:0: EADDRNOTAVAIL \(bind\)\.$/,
    (lab) => lab.listen({ address: "8.8.8.8" }),
    "The Lab does not have this address. It has 127.0.0.0/8 and 10.0.0.1.",
  ],
  ["an address that is none", Error, /address/, (lab) => lab.listen({ address: "localhost" })],
  ["zero hertz", ArgumentError, /hz.*not 0/, (lab, listener) => lab.record(listener, { hz: 0 })],
  [
    "a billion hertz",
    ArgumentError,
    /hz.*10,000, not 1000000000/,
    (lab, listener) => lab.record(listener, { hz: 1e9 }),
  ],
  [
    "an unknown counter",
    ArgumentError,
    /no counter "TcpExt.ListenDrips"/,
    (lab, listener) => lab.record(listener, { counters: ["TcpExt.ListenDrips"] }),
  ],
  [
    "a million clients",
    LimitError,
    /^1,000,000 clients: each needs a file descriptor, and this process has [\d,]+ left of [\d,]+\.$/,
    (lab, listener) => lab.connect(listener, { clients: 1_000_000 }),
    /^Ask for fewer/,
  ],
  ["no clients", ArgumentError, /clients.*not 0/, (lab, listener) => lab.connect(listener, { clients: 0 })],
  [
    "an unknown kind of client",
    ArgumentError,
    /^There is no kind of client "carrier pigeon"\.$/,
    (lab, listener) => lab.connect(listener, { kind: "carrier pigeon" as never }),
    'There are: "loopback", "mirror".',
  ],
  ["a round-trip time over loopback", ArgumentError, /mirror/, (lab, listener) => lab.connect(listener, { rtt: 5 })],
  [
    "a negative round-trip time",
    ArgumentError,
    /rtt/,
    (lab, listener) => lab.connect(listener, { kind: "mirror", rtt: -1 }),
  ],
  [
    "a schedule of another length",
    ArgumentError,
    /^schedule has 1 moment for 2 clients\.$/,
    (lab, listener) => lab.connect(listener, { clients: 2, schedule: [0] }),
  ],
  ["something that is no listener", ArgumentError, /Listener/, (lab) => lab.connect({} as never)],
  ["a source address that is none", TypeError, /sources/, (lab, listener) => lab.connect(listener, { from: "here" })],
  [
    "a sysctl that does not exist",
    LabError,
    /no sysctl net\.ipv4\.tcp_magic/,
    (lab) => lab.sysctl.set({ "net.ipv4.tcp_magic": 1 }),
  ],
  [
    "a sysctl value that is none",
    ArgumentError,
    /tcp_syncookies must be a number or a string/,
    (lab) => lab.sysctl.set({ "net.ipv4.tcp_syncookies": {} as never }),
  ],
  [
    "a program that is not installed",
    LabError,
    /"no-such-program" is not installed/,
    (lab) => lab.spawn("no-such-program"),
  ],
  ["no program", ArgumentError, /name of a program/, (lab) => lab.spawn("")],
  ["a rate below zero", ArgumentError, /rate/, (_, listener) => listener.acceptLoop({ rate: -1 })],
  ["a limit of nothing", ArgumentError, /limit/, (_, listener) => listener.acceptLoop({ limit: 0 })],
  [
    "a handler that is none",
    ArgumentError,
    /onConnections/,
    (_, listener) => listener.acceptLoop({ onConnections: 5 as never }),
  ],
  ["an unknown state", ArgumentError, /"SLEEPING"/, (lab) => lab.sockets({ states: ["SLEEPING" as never] })],
  ["an unknown option of Lab.open", ArgumentError, /no option "wires"/, () => Lab.open({ wires: 2 } as never)],
  ["a hash of minus one", ArgumentError, /hashBuckets/, () => Lab.open({ hashBuckets: -1 })],
  [
    "a refused connection",
    LabError,
    /^Connecting to port 9: ECONNREFUSED \(connect\)\.$/,
    (lab) => lab.dial(9),
    "No socket listens on that port in this Lab.",
  ],
];

describe("bad input", () => {
  let lab: Lab;
  let listener: Listener;
  before(async () => {
    lab = await Lab.open();
    listener = await lab.listen({ port: 8080, backlog: 16 });
  });
  after(() => lab.close());

  for (const [name, type, says, call, hint] of cases) {
    it(`${name}: a clear error, and the next call works`, async () => {
      const before = native.descriptors().open;
      await assert.rejects(
        async () => call(lab, listener),
        (error: Error) => {
          assert.ok(error instanceof type, `${error.constructor.name} is not ${type.name}: ${error.message}`);
          assert.match(error.message, says);
          const { hint: told } = error as LabError;
          if (typeof hint === "string") assert.equal(told, hint);
          else if (hint) assert.match(told ?? "", hint);
          return true;
        },
      );
      const client = await lab.dial(listener);
      const server = await listener.accept({ timeout: 2000 });
      await client.write("still here");
      assert.equal(String(await server.read()), "still here");
      await client.close();
      await server.close();
      assert.ok(native.descriptors().open <= before, "a descriptor was left open");
    });
  }
});
