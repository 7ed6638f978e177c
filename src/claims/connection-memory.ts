/** Claims 8 and 46: how much kernel memory a connection needs. */
import { ArgumentError } from "../errors";
import { kernelMemory } from "../lab/memory";
import type { Clients } from "../listener/clients";
import { countOf, formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { msUntil } from "../waiting/until";
import { rangeFields, rangeWords, requireAgreement, weighParts } from "./weighing";

const most = 6000;
const mostTalkers = 1000;
const said = 8192;
/** bytes: half of the text's 128 KB of buffers, and of its 135 KB in all */
const textBuffers = 64 * 1024;
const textMemory = 65 * 1024;

/** parts in which the idle connections come, each of them to a listener of its own: a queue is no longer than somaxconn */
const parts = 3;

/** Idle connections, and then data that the application does not read. */
async function idleAndUnread() {
  const crowd = clientsWithin(most);
  const talkers = Math.min(mostTalkers, Math.floor(crowd / parts));
  return inLab({ wire: false, hashBuckets: 16_384 }, async (lab) => {
    const each = Math.min(Math.floor(crowd / parts), await lab.sysctl.get("net.core.somaxconn"));
    const groups: Clients[] = [];
    const { objects, buffers } = await weighParts(parts, async () => {
      const listener = await lab.listen({ backlog: each });
      const clients = await lab.connect(listener, { clients: each });
      groups.push(clients);
      // both ends are sockets of this machine
      return 2 * clients.counts().established;
    });
    const [first] = groups;
    const connections = groups.reduce((sum, clients) => sum + clients.counts().established, 0);
    const idle = kernelMemory();
    await first?.send(
      new Uint8Array(said),
      Array.from({ length: talkers }, (_, at) => at),
    );
    await msUntil(() => kernelMemory().tcpBuffers > idle.tcpBuffers + (talkers * said) / 2, 1000);
    const unread = kernelMemory();
    return {
      connections,
      bytesEach: objects.middle,
      bytesLeast: objects.least,
      bytesMost: objects.most,
      buffersEach: buffers.middle,
      buffersLeast: buffers.least,
      buffersMost: buffers.most,
      unread: said,
      buffersUnread: Math.max(0, unread.tcpBuffers - idle.tcpBuffers) / talkers,
    };
  });
}

const whole = (bytes: number) => formatNumber(Math.round(bytes));

const evidence = {
  connections: count("connections that were open and idle"),
  bytesEach: amount("bytes of kernel objects for one end of each"),
  buffersEach: amount("bytes of buffers for one end of each"),
  unread: optional(count("bytes that a client then sent and the application did not read")),
  buffersUnread: optional(amount("bytes of buffers that this took, each")),
  ...rangeFields,
  buffersLeast: optional(amount("bytes of buffers of the lightest part")),
  buffersMost: optional(amount("bytes of buffers of the heaviest part")),
};

/**
 * Claim 8: bytes of buffers of an idle connection. The experiment opens up to 6,000 connections; up to 1,000 of them
 * then send 8 KiB that no application reads. Source: __sk_mem_raise_allocated().
 * @throws ArgumentError judge(): fewer than 100 connections
 */
export const buffersWhileIdle = claim({
  number: 8,
  section: "Part 1",
  statement: "Each connection has 128 KB of kernel buffers.",
  quote: "128KB per connection",
  notebook: "08",
  evidence,
  experiment: (once) => once(idleAndUnread),
  judge({ connections, buffersEach, unread, buffersUnread, buffersLeast, buffersMost }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Open some thousands.");
    const data =
      unread === undefined || buffersUnread === undefined
        ? ""
        : `; with ${formatNumber(unread)} unread bytes ${formatNumber(Math.round(buffersUnread))}`;
    const range = { bytesLeast: buffersLeast, bytesMost: buffersMost };
    const measured = `${countOf(connections, "idle connection")}: ${rangeWords(buffersEach, range, whole)} bytes of buffers each${data}`;
    const kernel = "__sk_mem_raise_allocated()";
    requireAgreement(range, textBuffers, measured, kernel);
    if (buffersEach >= textBuffers)
      return { verdict: "holds", measured, why: "The kernel allocated that much for each idle connection.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The kernel allocates buffer memory only for data that is waiting. The 128 KB are a limit (tcp_rmem), which counts this memory with its overhead. Some 64 to 128 KB of data may wait at first, depending on the packets, and only if the server does not read what the client sends.",
      kernel,
    };
  },
});

/**
 * Claim 46: bytes of kernel memory of a connection. The experiment is that of claim 8; a connection over loopback has
 * both of its ends on this machine. Source: sk_prot_alloc().
 * @throws ArgumentError judge(): fewer than 100 connections
 */
export const memoryEach = claim({
  number: 46,
  section: "Part 4",
  statement: "A connection needs about 135 KB of kernel memory, 10,000 connections need 1.35 GB.",
  quote: "Total: ~135KB per connection",
  notebook: "08",
  evidence,
  experiment: (once) => once(idleAndUnread),
  judge({ connections, bytesEach, buffersEach, ...range }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Open some thousands.");
    const all = bytesEach + buffersEach;
    const measured = `${rangeWords(all, range, whole)} bytes each while idle, ${((all * 10_000) / 2 ** 20).toFixed(0)} MiB for 10,000`;
    const kernel = "sk_prot_alloc()";
    requireAgreement(range, textMemory - buffersEach, measured, kernel);
    if (all > textMemory)
      return { verdict: "holds", measured, why: "A connection needed memory of that size.", kernel };
    return {
      verdict: "false",
      measured,
      why: "A connection needs a socket, an inode, a file and a directory entry: a few kilobytes. Its data comes on top, and only while it waits in a buffer.",
      kernel,
    };
  },
});
