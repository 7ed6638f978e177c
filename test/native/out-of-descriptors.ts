/** Run by out-of-descriptors.test.ts in a process of its own that may have few descriptors: prints what the addon's calls threw there. */
import { LabHost } from "../../dist/lab/host";
import { native } from "../../dist/native";
import { listening } from "./listening";

/** What a call threw: "ENOENT open", or "nothing". */
function thrown(call: () => unknown): string {
  try {
    call();
    return "nothing";
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    return `${code} ${syscall}`;
  }
}

async function main(): Promise<void> {
  const host = await LabHost.open();
  const listener = await listening(host);
  const [tcp] = await host.sockets("tcp", 1);
  const [packetFd] = await host.sockets("packet", 1);
  const { farIndex: ifindex, hardware } = host;
  const held: number[] = [];
  while (thrown(() => held.push(native.diagSocket())) === "nothing") continue;
  const sampler = { listenerFd: listener.fd, diagFd: -1, port: listener.port, hz: 10 };
  const link = { packetFd, ifindex, fromHardware: hardware.far, toHardware: hardware.near };
  const lab = { address: host.address, port: listener.port, network: "10.128.0.0", prefix: 9 };
  const offer = { mss: 1460, windowScale: -1, sack: false, timestamps: false };
  const calls: Record<string, () => unknown> = {
    diagSocket: () => native.diagSocket(),
    descriptors: () => native.descriptors(),
    startHost: () => native.startHost("/bin/true"),
    Sampler: () => new native.Sampler(sampler),
    Acceptor: () =>
      new native.Acceptor({
        listenerFd: listener.fd,
        rate: 0,
        limit: 0,
        mode: "close",
        onBatch: () => undefined,
      }),
    ClientThread: () =>
      new native.ClientThread({
        fds: Int32Array.of(tcp),
        address: "127.0.0.1",
        port: listener.port,
        sources: [],
        rate: 0,
      }),
    Mirror: () => new native.Mirror({ ...link, network: "10.1.0.0", prefix: 16, rtt: 0, loss: 0, logCapacity: 0 }),
    Ghosts: () => new native.Ghosts({ ...link, ...lab, first: 0, count: 1, kind: "syn", rate: 0, offer, seed: 1 }),
  };
  const found = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, thrown(call)]));
  for (const fd of held) native.close(fd);
  // a constructor that throws has not taken the descriptor
  const kept = [listener.fd, tcp, packetFd].map((fd) => thrown(() => native.inode(fd)));
  for (const fd of [listener.fd, tcp, packetFd]) native.close(fd);
  await host.close();
  console.log(JSON.stringify({ found, kept }));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
