/** Run by teardown.test.ts in a process of its own: starts one of each thread and ends, or lets them end, in the way that is asked for. */
import { strict as assert } from "node:assert";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { sleep, until } from "../fixtures/waiting";
import { connecting, listening } from "./listening";

async function startAll(host: LabHost) {
  const listener = await listening(host, { backlog: 500 });
  const [diagFd] = await host.sockets("diag", 1);
  const sampler = new native.Sampler({ listenerFd: listener.fd, diagFd, port: listener.port, hz: 5000 });
  const clients = new native.ClientThread({
    fds: await host.sockets("tcp", 200),
    address: "127.0.0.1",
    port: listener.port,
    sources: [],
    rate: 2000,
  });
  const acceptor = new native.Acceptor({
    listenerFd: listener.fd,
    rate: 0,
    limit: 0,
    mode: "keep",
    onBatch: () => undefined,
  });
  const [packetFd] = await host.sockets("packet", 1);
  const mirror = new native.Mirror({
    packetFd,
    ifindex: host.farIndex,
    network: "10.1.0.0",
    prefix: 16,
    rtt: 5,
    loss: 0,
    logCapacity: 100,
  });
  sampler.addClients(clients);
  sampler.addAcceptor(acceptor);
  for (const thread of [sampler, acceptor, mirror, clients]) thread.start();
  return { listener, sampler, clients, acceptor, mirror };
}

async function garbage(host: LabHost): Promise<void> {
  const before = native.descriptors().open;
  const listener = await listening(host, { backlog: 500 });
  let batches = 0;
  const accepted: number[] = [];
  await (async () => {
    for (let round = 0; round < 5; round++) {
      new native.ClientThread({
        fds: await host.sockets("tcp", 50),
        address: "127.0.0.1",
        port: listener.port,
        sources: [],
        rate: 0,
      }).start();
      new native.Sampler({ listenerFd: listener.fd, diagFd: -1, port: listener.port, hz: 1000 }).start();
      const [packetFd] = await host.sockets("packet", 1);
      new native.Mirror({
        packetFd,
        ifindex: host.farIndex,
        network: "10.2.0.0",
        prefix: 16,
        rtt: 0,
        loss: 0,
        logCapacity: 0,
      }).start();
    }
    new native.Acceptor({
      listenerFd: listener.fd,
      rate: 0,
      limit: 0,
      mode: "keep",
      onBatch: (fds) => void (batches++, accepted.push(...fds)),
    }).start();
  })();
  await until(() => accepted.length === 250, "all are accepted");
  await native.closeLater(Int32Array.from(accepted.splice(0)));
  const collect = (globalThis as { gc?: () => void }).gc!;
  // what stays: the listener, and the running acceptor's epoll and eventfd
  await until(
    () => (collect(), native.descriptors().open <= before + 4),
    () => `${native.descriptors().open - before} descriptors are left`,
    15_000,
  );
  const seen = batches;
  const [late] = await connecting(host, listener.port, 1);
  await until(() => batches > seen, "the forgotten loop still accepts");
  native.close(late);
  console.log("collected");
  process.exit(0); // the loop would keep Node alive
}

async function workers(host: LabHost): Promise<void> {
  const own = await startAll(host);
  for (const ending of ["return", "terminate", "terminate while stopping"]) {
    const worker = new Worker(__filename, { argv: ["worker"], workerData: ending });
    const ended = new Promise((resolve, reject) => worker.on("exit", resolve).on("error", reject));
    await new Promise((resolve) => worker.once("message", resolve));
    if (ending !== "return") await worker.terminate();
    await ended;
  }
  await until(() => own.clients.counts()[2] === 200, "the main thread's clients are connected");
  assert.ok(own.sampler.take().samples > 0);
  await Promise.all([own.sampler.stop(), own.mirror.stop(), own.acceptor.stop(), own.clients.stop()]);
  console.log("main goes on");
}

async function main(): Promise<void> {
  const host = await LabHost.open();
  const way = isMainThread ? process.argv[2] : "worker";
  if (isMainThread) console.log("started");
  if (way === "garbage") {
    await garbage(host);
  } else if (way === "workers") {
    await workers(host);
  } else {
    const all = await startAll(host);
    await until(() => all.sampler.take().samples > 100, "samples");
    if (way === "exit") process.exit(0);
    if (way === "return" || workerData === "return") await all.acceptor.stop(); // a running one would keep Node alive
    if (way === "throw") {
      process.on("uncaughtException", () => process.exit(0));
      setImmediate(() => {
        throw new Error("an uncaught exception");
      });
    }
    if (workerData === "terminate while stopping")
      for (let turn = 0; turn < 20; turn++)
        for (const thread of [all.sampler, all.clients, all.acceptor, all.mirror]) void thread.stop();
    parentPort?.postMessage("running");
    if (workerData === "terminate") await sleep(60_000); // until the main thread terminates this one
  }
  await host.close();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
