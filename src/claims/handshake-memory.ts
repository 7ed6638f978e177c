/** Claim 29: buffers at the final ACK. */
import { ArgumentError } from "../errors";
import { kernelMemory } from "../lab/memory";
import { countOf, formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count } from "./evidence";
import { inLab } from "./experiment";

const crowd = 20_000;

async function memoryOfConnections() {
  return inLab({ sysctls: { "net.core.somaxconn": crowd }, hashBuckets: 16_384 }, async (lab) => {
    const listener = await lab.listen({ backlog: crowd });
    const before = kernelMemory();
    await (await lab.ghosts(listener, { count: crowd })).finished();
    const after = kernelMemory();
    const connections = listener.acceptQueue;
    return {
      connections,
      bytesEach: Math.max(0, after.slab - before.slab) / connections,
      buffersEach: Math.max(0, after.tcpBuffers - before.tcpBuffers) / connections,
    };
  });
}

const textBytes = 128 * 1024;

/**
 * Claim 29: bytes that the kernel allocates for a connection at the final ACK. The experiment reads the kernel's memory
 * before and after 20,000 handshakes. Source: tcp_create_openreq_child().
 * @throws ArgumentError judge(): fewer than 100 connections
 */
export const buffersAtAck = claim({
  number: 29,
  section: "Part 3",
  statement: "At the final ACK the kernel allocates 64 KB for receiving and 64 KB for sending.",
  quote: "Receive buffer: 64KB",
  notebook: "02",
  evidence: {
    connections: count("connections made"),
    bytesEach: amount("bytes of kernel memory per connection"),
    buffersEach: amount("bytes of buffers among TCP's memory for each"),
  },
  experiment: (once) => once(memoryOfConnections),
  judge({ connections, bytesEach, buffersEach }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Make some thousands.");
    const measured = `${countOf(connections, "connection")}: ${formatNumber(Math.round(bytesEach))} bytes each, ${formatNumber(Math.round(buffersEach))} of buffers`;
    const kernel = "tcp_create_openreq_child()";
    const all = bytesEach + buffersEach;
    if (all >= textBytes / 2)
      return { verdict: "holds", measured, why: "The kernel allocated as much as the text says.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The kernel makes a socket and no buffer. 64 KB and more are limits for waiting data, and without data there is nothing to store.",
      kernel,
    };
  },
});
