/** Claims 8 and 46: how much kernel memory a connection needs. */
import { ArgumentError } from "../errors";
import { kernelMemory } from "../lab/memory";
import { countOf, formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { msUntil } from "../waiting/until";

const most = 6000;
const mostTalkers = 1000;
const said = 8192;

/** Idle connections, and then data that the application does not read. */
async function idleAndUnread() {
  const crowd = clientsWithin(most);
  const talkers = Math.min(mostTalkers, crowd);
  return inLab({ wire: false, hashBuckets: 16_384, sysctls: { "net.core.somaxconn": crowd } }, async (lab) => {
    const listener = await lab.listen({ backlog: crowd });
    const before = kernelMemory();
    const clients = await lab.connect(listener, { clients: crowd });
    const ends = 2 * (clients.counts().established || 1);
    const idle = kernelMemory();
    const indexes = Array.from({ length: talkers }, (_, at) => at);
    await clients.send(new Uint8Array(said), indexes);
    await msUntil(() => kernelMemory().tcpBuffers > idle.tcpBuffers + (talkers * said) / 2, 1000);
    const unread = kernelMemory();
    return {
      connections: crowd,
      bytesEach: Math.max(0, idle.slab - before.slab) / ends,
      buffersEach: Math.max(0, idle.tcpBuffers - before.tcpBuffers) / ends,
      unread: said,
      buffersUnread: Math.max(0, unread.tcpBuffers - idle.tcpBuffers) / talkers,
    };
  });
}

const evidence = {
  connections: count("connections that were open and idle"),
  bytesEach: amount("bytes of kernel objects for one end of each"),
  buffersEach: amount("bytes of buffers for one end of each"),
  unread: optional(count("bytes that a client then sent and the application did not read")),
  buffersUnread: optional(amount("bytes of buffers that this took, each")),
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
  judge({ connections, buffersEach, unread, buffersUnread }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Open some thousands.");
    const data =
      unread === undefined || buffersUnread === undefined
        ? ""
        : `; with ${formatNumber(unread)} unread bytes ${formatNumber(Math.round(buffersUnread))}`;
    const measured = `${countOf(connections, "idle connection")}: ${formatNumber(Math.round(buffersEach))} bytes of buffers each${data}`;
    const kernel = "__sk_mem_raise_allocated()";
    if (buffersEach >= 64 * 1024)
      return { verdict: "holds", measured, why: "The kernel allocated that much for each idle connection.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The kernel allocates buffer memory only for data that is waiting. The 128 KB are a limit for this memory (tcp_rmem). It is reached only when the server does not read what the client sends.",
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
  judge({ connections, bytesEach, buffersEach }) {
    if (connections < 100)
      throw new ArgumentError(`${countOf(connections, "connection")} disappear in the noise.`, "Open some thousands.");
    const all = bytesEach + buffersEach;
    const measured = `${formatNumber(Math.round(all))} bytes each while idle, ${((all * 10_000) / 2 ** 20).toFixed(0)} MiB for 10,000`;
    const kernel = "sk_prot_alloc()";
    if (all > 65 * 1024) return { verdict: "holds", measured, why: "A connection needed memory of that size.", kernel };
    return {
      verdict: "false",
      measured,
      why: "A connection needs a socket, an inode, a file and a directory entry: a few kilobytes. Its data comes on top, and only while it waits in a buffer.",
      kernel,
    };
  },
});
