import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { plot, Trace } from "one-listener";
import { folderOfSuite } from "../fixtures/temporary-folder";
import type { Ended } from "../fixtures/processes";
import { skip } from "../fixtures/skip";
import { DrivenServer, linesOf, main, watch } from "./watched";
import { named } from "../../dist/watch/holders";
import { gauge, sparkline } from "../../dist/terminal/meter";
import { formatPercent } from "../../dist/wording/number";

/** A server on this machine's own loopback that never accepts, with `backlog`. */
async function stoppedServer(backlog: number): Promise<{ port: number; kill: () => void }> {
  const server = DrivenServer.here();
  return { port: Number(await server.tell("open", "127.0.0.1", 0, backlog)), kill: () => server.kill() };
}

/** Two listeners on one address and port that never accept. */
async function sharedPort(backlog: number): Promise<{ port: number; kill: () => void }> {
  const server = DrivenServer.here();
  const port = Number(await server.tell("open", "127.0.0.1", 0, backlog, "reuseport"));
  await server.tell("open", "127.0.0.1", port, backlog, "reuseport");
  return { port, kill: () => server.kill() };
}

/** Starts clients. One that finds no room waits until it is destroyed. */
function knockAt(port: number, many: number): net.Socket[] {
  return Array.from({ length: many }, () => net.connect(port, "127.0.0.1").on("error", () => undefined));
}

async function connectTo(port: number, many: number, host = "127.0.0.1"): Promise<net.Socket[]> {
  return Promise.all(
    Array.from({ length: many }, async () => {
      const socket = net.connect(port, host);
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    }),
  );
}

describe("one-listener watch", function () {
  this.timeout(30_000);
  const cleanUp: (() => void)[] = [];
  const folder = folderOfSuite("watch").place;
  afterEach(() => cleanUp.splice(0).forEach((each) => each()));

  it("reports the queue of a server of this machine, and records a Trace of it", async () => {
    const server = await stoppedServer(50);
    cleanUp.push(server.kill);
    const file = path.join(folder, "some.trace");
    const { child, ended } = watch(
      `:${server.port}`,
      "--json",
      "--for",
      "2",
      "--interval",
      "0.2",
      "--hz",
      "200",
      "--record",
      file,
    );
    await once(child.stdout!, "data");
    const sockets = await connectTo(server.port, 30);
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    const lines = linesOf(stdout);
    const { summary } = lines.pop();
    assert.equal(lines[0].maximum, 50);
    assert.equal(lines.at(-1).acceptQueue, 30);
    assert.equal(summary.peak, 30);
    assert.ok(
      lines.reduce(
        (sum, { namespace, time }, at) => sum + namespace.handshakeRate * (time - (lines[at - 1]?.time ?? 0)),
        0,
      ) >= 29,
      "handshakes were counted",
    );
    const trace = await Trace.load(file);
    assert.equal(trace.meta.listener.port, server.port);
    assert.equal(Math.max(...trace.column("acceptQueue").values), 30);
  });

  it("sees an IPv6 listener, and clients that came by IPv4", async () => {
    const server = net.createServer().listen(0, "::");
    await once(server, "listening");
    cleanUp.push(() => server.close());
    const { port } = server.address() as net.AddressInfo;
    const { code, stdout } = await watch(String(port), "--json", "--for", "0.3").ended;
    assert.equal(code, 0);
    assert.equal(linesOf(stdout)[0].listeners, 1);
    assert.equal(linesOf(stdout)[0].maximum, 511);
  });

  it("--alert ends with 2 when the queue is as full as it says, not before", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const sockets = await connectTo(server.port, 7);
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    const calm = await watch(`:${server.port}`, "--alert", "80%", "--for", "0.5").ended;
    assert.equal(calm.code, 0, calm.stdout);
    const { child, ended } = watch(`:${server.port}`, "--alert", "80%", "--for", "20", "--interval", "0.2");
    await once(child.stdout!, "data");
    const more = await connectTo(server.port, 1);
    cleanUp.push(() => more.forEach((socket) => socket.destroy()));
    const { code, stdout } = await ended;
    assert.equal(code, 2);
    assert.match(stdout, new RegExp(`^ALERT: an accept queue of 127\\.0\\.0\\.1:${server.port} was 80 % full$`, "m"));
  });

  it("--alert overflows ends with 2 when a SYN meets a full queue, not when the queue is just full; in the recording, too", async () => {
    const server = await stoppedServer(4);
    cleanUp.push(server.kill);
    const full = await connectTo(server.port, 5);
    cleanUp.push(() => full.forEach((socket) => socket.destroy()));
    const file = path.join(folder, "alert.trace");
    const { child, ended } = watch(
      `:${server.port}`,
      "--alert",
      "overflows",
      "--for",
      "20",
      "--interval",
      "0.2",
      "--record",
      file,
    );
    await once(child.stdout!, "data");
    await once(child.stdout!, "data");
    assert.equal(child.exitCode, null, "a full queue alone is no overflow");
    const outside = knockAt(server.port, 1);
    cleanUp.push(() => outside.forEach((socket) => socket.destroy()));
    const { code, stdout } = await ended;
    assert.equal(code, 2, stdout);
    assert.match(
      stdout,
      /^ALERT: ListenOverflows increased by \d+: an accept queue of this network namespace was full$/m,
    );
    assert.deepEqual(
      (await Trace.load(file)).events.map(({ name }) => name),
      ["alert"],
    );
    const both = await watch(`:${server.port}`, "--alert", "90%,overflows", "--for", "20").ended;
    assert.equal(both.code, 2);
    const every = await watch("--alert", "90%", "--alert", "overflows", "--for", "20").ended;
    assert.equal(every.code, 2, "without a port");
  });

  it("of several listeners on a port shows the capacity of all, and the alert looks at the fullest", async () => {
    const server = await sharedPort(9);
    cleanUp.push(server.kill);
    const file = path.join(folder, "shared.trace");
    const { child, ended } = watch(
      `:${server.port}`,
      "--json",
      "--for",
      "20",
      "--interval",
      "0.2",
      "--alert",
      "100%",
      "--record",
      file,
    );
    await once(child.stdout!, "data");
    // one by one, until one of the two is full: the other has room then, but for one time in thousands
    const sockets: net.Socket[] = [];
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    for (let at = 0; at < 20 && child.exitCode === null; at++) {
      sockets.push(...knockAt(server.port, 1));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    const { code, stdout } = await ended;
    assert.equal(code, 2, stdout);
    const lines = linesOf(stdout);
    lines.pop();
    const { listeners, maximum, places, fullest, fullestMaximum } = lines.at(-1);
    assert.deepEqual(
      { listeners, maximum, places, fullest, fullestMaximum },
      { listeners: 2, maximum: 18, places: 20, fullest: 10, fullestMaximum: 9 },
    );
    const trace = await Trace.load(file);
    assert.equal(trace.meta.listener.listeners, 2);
    const { acceptMax, fullest: recorded } = trace.at(trace.end);
    assert.deepEqual([acceptMax + 1, recorded], [20, 10]);
    assert.match(plot.queueDepth(trace).text, /of 20 places[^]*the fullest of 2 listeners: at most 10 of 10 places/);
  });

  it("killed with SIGKILL leaves a recording that loads, but for the last seconds", async () => {
    const server = await stoppedServer(50);
    cleanUp.push(server.kill);
    const file = path.join(folder, "killed.trace");
    const { child, ended } = watch(`:${server.port}`, "--json", "--interval", "0.2", "--hz", "200", "--record", file);
    await once(child.stdout!, "data");
    const sockets = await connectTo(server.port, 7);
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    const seen = async () =>
      statSync(file).size > 0 ? (await Trace.load(file)).findColumn("acceptQueue")?.values.at(-1) : undefined;
    for (let waited = 0; (await seen()) !== 7 && waited < 200; waited++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGKILL");
    await ended;
    const trace = await Trace.load(file);
    assert.equal(trace.column("acceptQueue").values.at(-1), 7, "written while it ran");
    assert.equal(trace.meta.unfinished, true);
    assert.match(trace.describe(), /unfinished/);
  });

  it("ends in order when the reader of its output has gone", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const file = path.join(folder, "pipe.trace");
    const { child, ended } = watch(`:${server.port}`, "--interval", "0.1", "--record", file);
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    const { code, stderr } = await ended;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE|\n {4}at /);
    assert.equal((await Trace.load(file)).meta.unfinished, undefined, "saved as a whole");
  });

  it("ends with 1 when the recording cannot be written any more", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const gone = path.join(folder, "gone");
    mkdirSync(gone);
    const { child, ended } = watch(`:${server.port}`, "--record", path.join(gone, "x.trace"));
    await once(child.stdout!, "data");
    rmSync(gone, { recursive: true });
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(stderr, /The recording could not be written to .*x\.trace/);
    assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
  });

  it("ends with 3 when the listener closes, and keeps what it recorded", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const file = path.join(folder, "closed.trace");
    const { child, ended } = watch(`:${server.port}`, "--for", "20", "--record", file);
    await once(child.stdout!, "data"); // after a second
    server.kill();
    const { code, stdout } = await ended;
    assert.equal(code, 3, stdout);
    assert.match(stdout, new RegExp(`^The listener on 127\\.0\\.0\\.1:${server.port} was closed\\.$`, "m"));
    assert.ok((await Trace.load(file)).meta.samples > 2);
  });

  it("Ctrl-C ends it with 0, with a summary and the recording saved", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const file = path.join(folder, "interrupted.trace");
    const { child, ended } = watch(`:${server.port}`, "--record", file);
    await once(child.stdout!, "data");
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^\d+\.\d s: peak 0, drops 0; in the whole network namespace overflows \d+, drops \d+; sampling used [\d.]+ % of a core$/m,
    );
    assert.ok(existsSync(file));
  });

  it("lists every listener when no port is given, and who holds it", async () => {
    const server = await stoppedServer(33);
    cleanUp.push(server.kill);
    const { code, stdout } = await watch("--for", "0.5").ended;
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^127\\.0\\.0\\.1:${server.port} +v4 +0 +33 +0 % +0 +0 +python3 \\(\\d+\\)$`, "m"));
  });

  it("refuses bad input before anything starts", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const port = `:${server.port}`;
    for (const [args, expected] of [
      [["99999"], /A port is a number from 1 to 65535\./],
      [["http"], /A port is a number from 1 to 65535/],
      [
        [":1"],
        new RegExp(
          `No socket listens on port 1 in this network namespace\\.\\s[^]*Sockets listen on ports? [^]*${server.port}`,
        ),
      ],
      [[port, "--alert", "80"], /percentage above 0 and up to 100, such as 80%/],
      [[port, "--alert", "0%"], /percentage/],
      [[port, "--alert", "80%,resets"], /80%,overflows/],
      [[port, "--for", "soon"], /A time is a number of seconds, or a number with a unit, such as 500ms, 10m, 24h\./],
      [[port, "--hz", "5000"], /The samples per second are a number from 1 to 1000\./],
      [[port, "--interval", "0.001"], /--interval must be at least 0\.1 seconds\./],
      [
        ["--record", path.join(folder, "x")],
        /--record needs a port, because a Trace is a recording of one address and port\./,
      ],
      [[port, "--record", path.join(folder, "no", "x")], /x cannot be written: ENOENT/],
      [[port, "--record", __filename], /exists already/],
    ] as [string[], RegExp][]) {
      const { code, stdout, stderr } = await watch(...args).ended;
      assert.equal(code, 1, `${args.join(" ")}: ${stdout}`);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack trace");
    }
  });

  it("works as an ordinary user", async function () {
    if (process.getuid!() !== 0) skip(this, "this whole run is an ordinary user's");
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const { code, stderr } = await new Promise<Ended>((resolve) =>
      execFile(
        "setpriv",
        [
          "--reuid",
          "65534",
          "--regid",
          "65534",
          "--clear-groups",
          process.execPath,
          main,
          "watch",
          String(server.port),
          "--for",
          "0.3",
        ],
        (error, stdout, errors) =>
          resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr: errors }),
      ),
    );
    assert.equal(code, 0, stderr);
  });

  it("draws", () => {
    assert.equal(sparkline([0, 1, 4, 8]), " ▁▄█");
    assert.equal(gauge(0.5, 4), "██░░");
    assert.equal(gauge(7, 4), "████");
    assert.equal(formatPercent(0.004), "0.4 %");
    assert.equal(named(["python3 (7)", "python3 (7)"]), "python3 (7)");
    assert.equal(named(["a (1)", "a (2)", "a (3)", "a (4)"]), "a (1), a (2) and 2 more");
  });
});
