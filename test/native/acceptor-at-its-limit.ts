/** Run by acceptor.test.ts in a process of its own that may have few descriptors: prints what an Acceptor did there. */
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { msUntil } from "../../dist/waiting/until";
import { connecting, listening } from "./listening";

async function main(): Promise<void> {
  const host = await LabHost.open({ wire: false });
  const listener = await listening(host, { backlog: 100 });
  const { soft, open } = native.descriptors();
  const clientCount = Math.floor((soft - open) * 0.6);
  const clients = await connecting(host, listener.port, clientCount);
  const kept: number[] = [];
  const loop = new native.Acceptor({
    listenerFd: listener.fd,
    rate: 0,
    limit: 0,
    mode: "keep",
    onBatch: (fds) => void kept.push(...fds),
  });
  loop.start();
  await msUntil(() => loop.stats().exhausted > 0, 5000);
  const cpu = process.cpuUsage();
  const start = native.now();
  const before = loop.stats();
  await msUntil(() => loop.stats().exhausted >= before.exhausted + 20, 30_000);
  const elapsed = native.now() - start;
  const used = process.cpuUsage(cpu);
  const stats = loop.stats();
  const freed = 5;
  for (const fd of kept.splice(0, freed)) native.close(fd);
  await msUntil(() => loop.stats().accepted >= stats.accepted + freed, 5000);
  const afterwards = loop.stats().accepted;
  await loop.stop();
  for (const fd of [...kept, ...clients, listener.fd]) native.close(fd);
  await host.close();
  console.log(
    JSON.stringify({
      accepted: stats.accepted,
      exhausted: stats.exhausted - before.exhausted,
      cpu: (used.user + used.system) / 1000,
      elapsed,
      freed,
      afterwards,
    }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
