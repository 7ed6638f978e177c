import assert from "node:assert/strict";
import { ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { Trace } from "one-listener";
import { skip } from "../skip";
import { gauge, percent, sparkline } from "../../dist/watch/screen";

const main = path.join(__dirname, "..", "..", "dist", "cli", "main.js");

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function watch(...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [main, "watch", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (data) => (stdout += data));
  child.stderr!.on("data", (data) => (stderr += data));
  return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
}

const reports = (stdout: string) => stdout.trim().split("\n").map((text) => JSON.parse(text));

/** A server of this machine's own loopback that never accepts (a stopped process), with `backlog`. */
async function stoppedServer(backlog: number, host = "127.0.0.1"): Promise<{ port: number; kill: () => void }> {
  const program = `import os, signal, socket; s = socket.socket(socket.AF_INET6 if ":" in "${host}" else socket.AF_INET); s.bind(("${host}", 0)); s.listen(${backlog}); print(s.getsockname()[1], flush=True); signal.pause()`;
  const child = spawn("python3", ["-c", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [text] = await once(child.stdout!, "data");
  return { port: Number(text), kill: () => child.kill("SIGKILL") };
}

async function connectTo(port: number, many: number, host = "127.0.0.1"): Promise<net.Socket[]> {
  return Promise.all(Array.from({ length: many }, async () => {
    const socket = net.connect(port, host);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }));
}

describe("one-listener watch", function () {
  this.timeout(30_000);
  const cleanUp: (() => void)[] = [];
  const folder = mkdtempSync(path.join(os.tmpdir(), "watch-"));
  afterEach(() => cleanUp.splice(0).forEach((each) => each()));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("reports the queue of a server of this machine, and records a Trace of it", async () => {
    const server = await stoppedServer(50);
    cleanUp.push(server.kill);
    const file = path.join(folder, "some.trace");
    const { ended } = watch(`:${server.port}`, "--json", "--for", "2", "--interval", "0.2", "--hz", "200", "--record", file);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const sockets = await connectTo(server.port, 30);
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    const lines = reports(stdout);
    const { summary } = lines.pop();
    assert.equal(lines[0].maximum, 50);
    assert.equal(lines.at(-1).acceptQueue, 30);
    assert.equal(summary.peak, 30);
    assert.ok(lines.reduce((sum, { handshakeRate }) => sum + handshakeRate * 0.2, 0) >= 29, "handshakes were counted");
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
    assert.equal(reports(stdout)[0].listeners, 1);
    assert.equal(reports(stdout)[0].maximum, 511);
  });

  it("--alert ends with 2 when the queue is so full, and says so; not before", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const sockets = await connectTo(server.port, 7);
    cleanUp.push(() => sockets.forEach((socket) => socket.destroy()));
    const calm = await watch(`:${server.port}`, "--alert", "80%", "--for", "0.5").ended;
    assert.equal(calm.code, 0, calm.stdout);
    const { ended } = watch(`:${server.port}`, "--alert", "80%", "--for", "20");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const more = await connectTo(server.port, 1);
    cleanUp.push(() => more.forEach((socket) => socket.destroy()));
    const { code, stdout } = await ended;
    assert.equal(code, 2);
    assert.match(stdout, /ALERT: an accept queue of port \d+ was 80 % full/);
  });

  it("ends with 3 when the listener closes, and keeps what it recorded", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const file = path.join(folder, "closed.trace");
    const { ended } = watch(`:${server.port}`, "--for", "20", "--record", file);
    await new Promise((resolve) => setTimeout(resolve, 800));
    server.kill();
    const { code, stdout } = await ended;
    assert.equal(code, 3, stdout);
    assert.match(stdout, /Nobody listens on port \d+ any more/);
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
    assert.match(stdout, /peak 0, overflows \d+, drops \d+; sampling took/);
    assert.ok(existsSync(file));
  });

  it("lists every listener when no port is given, and who holds it", async () => {
    const server = await stoppedServer(33);
    cleanUp.push(server.kill);
    const { code, stdout } = await watch("--for", "0.5").ended;
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`${server.port} +v4 +0 +33 +0 % +0 +python3 \\(\\d+\\)`));
  });

  it("refuses bad input before anything starts", async () => {
    const server = await stoppedServer(9);
    cleanUp.push(server.kill);
    const port = `:${server.port}`;
    for (const [args, expected] of [
      [["99999"], /A port is a number from 1 to 65535/],
      [["http"], /A port is a number/],
      [[":1"], new RegExp(`Nobody listens on port 1 in this network namespace.*${server.port}`)],
      [[port, "--alert", "80"], /percentage above 0 and up to 100, such as 80%/],
      [[port, "--alert", "0%"], /percentage/],
      [[port, "--for", "soon"], /A time is a number of seconds/],
      [[port, "--hz", "5000"], /from 1 to 1000/],
      [[port, "--interval", "0.001"], /at least 0.1 seconds/],
      [["--record", path.join(folder, "x")], /--record needs a port/],
      [[port, "--record", path.join(folder, "no", "x")], /Nothing can be written to .*no/],
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
      execFile("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", process.execPath, main, "watch", String(server.port), "--for", "0.3"], (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr })));
    assert.equal(code, 0, stderr);
  });

  it("draws", () => {
    assert.equal(sparkline([0, 1, 4, 8]), " ▁▄█");
    assert.equal(gauge(0.5, 4), "██░░");
    assert.equal(gauge(7, 4), "████");
    assert.equal(percent(0.004), "0.4 %");
  });
});
