/** Claim 29: buffers at the final ACK. */
import { ArgumentError } from "../errors";
import { countOf, formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count } from "./evidence";
import { inLab } from "./experiment";
import { atRest } from "../waiting/until";
import { rangeFields, rangeWords, requireAgreement, weighParts } from "./weighing";

/** Several listeners, because a queue is no longer than somaxconn, which not every kernel lets a Lab set. */
const listeners = 5;
const crowd = 20_000;

async function memoryOfConnections() {
  return inLab({ hashBuckets: 16_384 }, async (lab) => {
    const each = Math.min(crowd / listeners, await lab.sysctl.get("net.core.somaxconn"));
    const {
      count: connections,
      objects,
      buffers,
    } = await weighParts(listeners, async () => {
      const listener = await lab.listen({ backlog: each });
      await (await lab.ghosts(listener, { count: each })).finished();
      await atRest(() => [listener.acceptQueue, listener.synQueue], { quiet: 50 });
      return listener.acceptQueue;
    });
    return {
      connections,
      bytesEach: objects.middle,
      bytesLeast: objects.least,
      bytesMost: objects.most,
      buffersEach: buffers.middle,
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
    ...rangeFields,
  },
  experiment: (once) => once(memoryOfConnections),
  judge({ connections, bytesEach, buffersEach, ...range }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Make some thousands.");
    const measured = `${countOf(connections, "connection")}: ${rangeWords(bytesEach, range, (bytes) => formatNumber(Math.round(bytes)))} bytes each, ${formatNumber(Math.round(buffersEach))} of buffers`;
    const kernel = "tcp_create_openreq_child()";
    requireAgreement(range, textBytes / 2 - buffersEach, measured, kernel);
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
