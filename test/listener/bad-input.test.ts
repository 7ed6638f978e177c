import assert from "node:assert/strict";
import { labOfSuite } from "../fixtures/lab-of-suite";
import { ArgumentError, Lab, LabError, LimitError, type Listener } from "../../dist/index";
import { native } from "../../dist/native";

interface Case {
  name: string;
  type: new (...given: never[]) => Error;
  /** the whole message */
  says: string | RegExp;
  /** the whole hint; default: the error has none */
  hint?: string;
  call: (lab: Lab, listener: Listener) => unknown;
}

// Each: a typed error that names the thing; and afterwards the same Lab works.
const cases: Case[] = [
  {
    name: "a busy port",
    type: LabError,
    says: "Cannot listen on 0.0.0.0:8080: EADDRINUSE (bind).",
    hint: "Another socket of this Lab listens on port 8080. Close it, choose another port, or give both reusePort: true.",
    call: (lab) => lab.listen({ port: 8080 }),
  },
  {
    name: "a port of 70000",
    type: ArgumentError,
    says: "port must be an integer from 0 to 65,535, not 70000.",
    call: (lab) => lab.listen({ port: 70000 }),
  },
  {
    name: "a port that is not a number",
    type: ArgumentError,
    says: 'port must be an integer from 0 to 65,535, not "http".',
    call: (lab) => lab.listen({ port: "http" as never }),
  },
  {
    name: "a backlog that is not an integer",
    type: ArgumentError,
    says: "backlog must be an integer from -2,147,483,648 to 4,294,967,295, not 1.5.",
    call: (lab) => lab.listen({ backlog: 1.5 }),
  },
  {
    name: "a backlog of NaN",
    type: ArgumentError,
    says: "backlog must be an integer from -2,147,483,648 to 4,294,967,295, not NaN.",
    call: (lab) => lab.listen({ backlog: NaN }),
  },
  {
    name: "a backlog beyond 32 bits",
    type: ArgumentError,
    says: "backlog must be an integer from -2,147,483,648 to 4,294,967,295, not 1099511627776.",
    call: (lab) => lab.listen({ backlog: 2 ** 40 }),
  },
  {
    name: "a misspelt option",
    type: ArgumentError,
    says: 'listen() has no option "backlogg".',
    hint: "It has: port, backlog, address, reusePort, deferAccept, fastOpen.",
    call: (lab) => lab.listen({ backlogg: 5 } as never),
  },
  {
    name: "an address that the Lab does not have",
    type: LabError,
    says: "Cannot listen on 8.8.8.8:0: EADDRNOTAVAIL (bind).",
    hint: "The Lab does not have this address. It has 127.0.0.0/8 and 10.0.0.1.",
    call: (lab) => lab.listen({ address: "8.8.8.8" }),
  },
  {
    name: "an address that is not one",
    type: ArgumentError,
    says: 'address must be an IPv4 address, not "localhost".',
    hint: 'An address looks like "10.2.0.1".',
    call: (lab) => lab.listen({ address: "localhost" }),
  },
  {
    name: "an IPv6 address to listen on",
    type: ArgumentError,
    says: "The listeners of a Lab are IPv4 sockets: ::1 is an IPv6 address.",
    hint: 'Give an IPv4 address such as "127.0.0.1", or start an IPv6 server as a program with lab.spawn().',
    call: (lab) => lab.listen({ address: "::1" }),
  },
  {
    name: "a negative timeout",
    type: ArgumentError,
    says: "timeout (ms) must be a number from 0 to ∞, not -1.",
    call: (_, listener) => listener.accept({ timeout: -1 }),
  },
  {
    name: "zero hertz",
    type: ArgumentError,
    says: "hz (samples per second) must be a number from 0.1 to 10,000, not 0.",
    call: (lab, listener) => lab.record(listener, { hz: 0 }),
  },
  {
    name: "a billion hertz",
    type: ArgumentError,
    says: "hz (samples per second) must be a number from 0.1 to 10,000, not 1000000000.",
    call: (lab, listener) => lab.record(listener, { hz: 1e9 }),
  },
  {
    name: "an unknown counter",
    type: ArgumentError,
    says: 'This kernel has no counter "TcpExt.ListenDrips".',
    hint: "Full names look like TcpExt.ListenOverflows. lab.counters() has them all; meminfo.Slab is the kernel's memory for small objects, kB.",
    call: (lab, listener) => lab.record(listener, { counters: ["TcpExt.ListenDrips"] }),
  },
  {
    name: "a recording of a port without a listener",
    type: ArgumentError,
    says: "No socket listens on port 9 in this Lab.",
    hint: "Start the program first, and wait until it listens.",
    call: (lab) => lab.record(9),
  },
  {
    name: "a million clients",
    type: LimitError,
    says: /^1,000,000 clients: each needs a file descriptor, and this process has [\d,]+ left of [\d,]+\.$/,
    hint: "Ask for fewer clients (accepting one here needs a descriptor, too), or raise the limit before you start Jupyter: `ulimit -Hn`.",
    call: (lab, listener) => lab.connect(listener, { clients: 1_000_000 }),
  },
  {
    name: "no clients",
    type: ArgumentError,
    says: "clients must be an integer from 1 to 100,000,000, not 0.",
    call: (lab, listener) => lab.connect(listener, { clients: 0 }),
  },
  {
    name: "a negative quiet",
    type: ArgumentError,
    says: "quiet (ms) must be a number from 0 to ∞, not -1.",
    call: (lab, listener) => lab.connect(listener, { quiet: -1 }),
  },
  {
    name: "an unknown kind of client",
    type: ArgumentError,
    says: 'There is no kind of client "carrier pigeon".',
    hint: 'There are: "loopback", "mirror".',
    call: (lab, listener) => lab.connect(listener, { kind: "carrier pigeon" as never }),
  },
  {
    name: "a round-trip time over loopback",
    type: ArgumentError,
    says: "rtt and loss are for mirror clients.",
    hint: 'Add kind: "mirror".',
    call: (lab, listener) => lab.connect(listener, { rtt: 5 }),
  },
  {
    name: "a negative round-trip time",
    type: ArgumentError,
    says: "rtt (ms) must be a number from 0 to 60,000, not -1.",
    call: (lab, listener) => lab.connect(listener, { kind: "mirror", rtt: -1 }),
  },
  {
    name: "a schedule of another length",
    type: ArgumentError,
    says: "schedule has 1 moment for 2 clients.",
    hint: "Give one moment for each client.",
    call: (lab, listener) => lab.connect(listener, { clients: 2, schedule: [0] }),
  },
  {
    name: "something that is not a listener",
    type: ArgumentError,
    says: "connect() takes a Listener or a port first.",
    hint: "lab.listen() gives a Listener.",
    call: (lab) => lab.connect({} as never),
  },
  {
    name: "a source address that is not one",
    type: TypeError,
    says: 'sources[] must be a dotted IPv4 address, not "here"',
    call: (lab, listener) => lab.connect(listener, { from: "here" }),
  },
  {
    name: "a sysctl that does not exist",
    type: LabError,
    says: "There is no sysctl net.ipv4.tcp_magic in this Lab.",
    hint: "Did you mean net.ipv4.tcp_sack? Some sysctls exist only on newer kernels, or only for the whole machine.",
    call: (lab) => lab.sysctl.set({ "net.ipv4.tcp_magic": 1 }),
  },
  {
    name: "a sysctl value that is an object",
    type: ArgumentError,
    says: "The value of net.ipv4.tcp_syncookies must be a number or a string, not [object Object].",
    call: (lab) => lab.sysctl.set({ "net.ipv4.tcp_syncookies": {} as never }),
  },
  {
    name: "a program that is not installed",
    type: LabError,
    says: 'The program "no-such-program" is not installed, or not in the PATH.',
    hint: "Install it, or give its full path.",
    call: (lab) => lab.spawn("no-such-program"),
  },
  {
    name: "no program",
    type: ArgumentError,
    says: "spawn() takes the name of a program first.",
    call: (lab) => lab.spawn(""),
  },
  {
    name: "a rate below zero",
    type: ArgumentError,
    says: "rate (accepts per second) must be a number from 0 to 1,000,000, not -1.",
    call: (_, listener) => listener.acceptLoop({ rate: -1 }),
  },
  {
    name: "a limit of nothing",
    type: ArgumentError,
    says: "limit must be an integer from 1 to 2,147,483,647, not 0.",
    call: (_, listener) => listener.acceptLoop({ limit: 0 }),
  },
  {
    name: "a handler that is not a function",
    type: ArgumentError,
    says: "onConnections must be a function.",
    call: (_, listener) => listener.acceptLoop({ onConnections: 5 as never }),
  },
  {
    name: "an unknown state",
    type: ArgumentError,
    says: 'There is no TCP state "SLEEPING".',
    hint: "There are: ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING, NEW_SYN_RECV.",
    call: (lab) => lab.sockets({ states: ["SLEEPING" as never] }),
  },
  {
    name: "an unknown option of Lab.open",
    type: ArgumentError,
    says: 'Lab.open() has no option "wires".',
    hint: "It has: wire, sysctls, hashBuckets.",
    call: () => Lab.open({ wires: 2 } as never),
  },
  {
    name: "a hash of minus one",
    type: ArgumentError,
    says: "hashBuckets must be an integer from 0 to 16,777,216, not -1.",
    call: () => Lab.open({ hashBuckets: -1 }),
  },
  {
    name: "a refused connection",
    type: LabError,
    says: "Connecting to port 9: ECONNREFUSED (connect).",
    hint: "No socket listens on that port in this Lab.",
    call: (lab) => lab.dial(9),
  },
];

describe("bad input", () => {
  let lab: Lab;
  let listener: Listener;
  labOfSuite(async (opened) => {
    lab = opened;
    listener = await lab.listen({ port: 8080, backlog: 16 });
  });

  for (const { name, type, says, hint, call } of cases) {
    it(`${name}: a clear error, and the next call works`, async () => {
      const before = native.descriptors().open;
      await assert.rejects(
        async () => call(lab, listener),
        (error: Error & { hint?: string }) => {
          assert.ok(error instanceof type, `${error.constructor.name} is not ${type.name}: ${error.message}`);
          if (typeof says === "string") assert.equal(error.message, says);
          else assert.match(error.message, says);
          assert.equal(error.hint, hint);
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
