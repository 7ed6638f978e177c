import { inLab } from "../claims/experiment";
import { kernelMemory } from "../lab/memory";
import { native } from "../native";
import { count } from "../watch/screen";
import type { Demo } from "./demo";

/** first, so many are weighed */
const sample = 5000;
/** of the memory that is free */
const share = 0.6;
/** ms without any progress: something is lost, and nobody resends */
const patience = 5000;

/** Kernel memory of one connection in an accept queue, bytes. */
function weigh(): Promise<number> {
  return inLab({ hashBuckets: 8192, sysctls: { "net.core.somaxconn": 4 * sample } }, async (lab) => {
    const listener = await lab.listen({ port: 8080, backlog: 2 * sample });
    const before = kernelMemory();
    const ghosts = await lab.ghosts(listener, { count: sample });
    await ghosts.finished();
    return Math.max(1000, (kernelMemory().slab - before.slab) / Math.max(1, listener.acceptQueue));
  });
}

export const million: Demo = {
  name: "million",
  title: "A million",
  sentence: "One listening socket, a million established connections in its accept queue, in one process of ordinary limits.",
  seconds: 25,
  async run(stage, { count: wanted }) {
    stage.act(`weighing a connection, with ${count(sample)} of them`);
    const weight = await weigh();
    const { available } = kernelMemory();
    const affordable = Math.floor((share * available) / (weight + 400));
    const total = Math.max(1000, Math.min(wanted, affordable));
    const megabytes = (bytes: number) => `${count(bytes / 2 ** 20)} MiB`;
    stage.tell([
      `${count(total)} connections of ${count(weight)} bytes are ${megabytes(total * weight)} of the ${megabytes(available)} that are free.`,
      ...(total < wanted ? [`${count(wanted)} would be too much for this machine.`] : []),
    ]);
    return inLab({ hashBuckets: 2 ** Math.ceil(Math.log2(total)), sysctls: { "net.core.somaxconn": 2 * total } }, async (lab) => {
      const listener = await lab.listen({ port: 8080, backlog: 2 * total });
      stage.act(`one listener, ${count(total)} connections`);
      const memory = kernelMemory();
      const start = native.now();
      const ghosts = await lab.ghosts(listener, { count: total });
      let queued = 0;
      let moved = native.now();
      const levels = () => [
        { name: "ESTABLISHED, in one accept queue", value: listener.acceptQueue, of: total, colour: "green" as const, limit: true },
        { name: "kernel memory, MiB", value: (kernelMemory().slab - memory.slab) / 2 ** 20, of: (total * weight) / 2 ** 20, colour: "blue" as const },
        { name: "handshakes a second", value: (1000 * listener.acceptQueue) / (native.now() - start), of: 200_000, colour: "yellow" as const },
      ];
      await stage.follow(levels, 180_000, () => {
        if (listener.acceptQueue !== queued) moved = native.now();
        queued = listener.acceptQueue;
        return queued >= total || native.now() - moved > patience;
      }, "no client has a socket: their handshakes are spoken by threads of ours at the far end of the link");
      const seconds = (moved - start) / 1000;
      const bytesEach = (kernelMemory().slab - memory.slab) / Math.max(1, queued);
      ghosts.close();
      const { soft } = native.descriptors();
      return {
        numbers: { total, queued, seconds, rate: queued / seconds, bytesEach, descriptors: soft },
        told: [
          `${count(queued)} connections wait in one accept queue after ${seconds.toFixed(1)} s: ${count(queued / seconds)} handshakes a second, ${count(bytesEach)} bytes of the kernel's memory each.`,
          `This process may have ${count(soft)} descriptors. They need none: a connection has a descriptor when somebody has accepted it, and not before.`,
        ],
        kernel: "inet_csk_reqsk_queue_add()",
        notebook: "08 · Memory, and a million",
      };
    });
  },
};
