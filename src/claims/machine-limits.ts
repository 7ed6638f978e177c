/** Claims 21 and 43: the numbers that the text calls typical, measured on this machine. */
import { ArgumentError } from "../errors";
import type { Lab } from "../front-door";
import { native } from "../native";
import { formatNumber } from "../wording/number";
import { claim } from "./claim";
import { amount, count, optional } from "./evidence";
import { clientsWithin, inLab } from "./experiment";
import { kernelFunction } from "./kernel-function";
import { atRest, msUntil } from "../waiting/until";
import { rangeFields, rangeWords, requireAgreement, type Weighed, weighParts } from "./weighing";

const usualBacklog = 128;
const mostPairs = 1500;
/** parts in which they come, to be weighed one by one */
const parts = 3;

/** The machine's own table size, so that tcp_max_syn_backlog has the value it has outside of Labs. */
async function limitsOfThisMachine() {
  return inLab({ wire: false, hashBuckets: 0 }, async (lab) => {
    const { soft, hard } = native.descriptors();
    // half-open handshakes without a wire: TCP_DEFER_ACCEPT ignores the final ACK until data comes
    const listener = await lab.listen({ backlog: usualBacklog, deferAccept: 30 });
    const clients = await lab.connect(listener, { clients: 3 * usualBacklog });
    await atRest(() => [listener.synQueue]);
    const synQueue = listener.synQueue;
    await clients.close();
    await listener.close();

    const { objects, buffers } = await pairsWeighed(lab);
    return {
      backlog: usualBacklog,
      synQueue,
      softDescriptors: soft,
      hardDescriptors: hard,
      buffersPerConnection: buffers.middle,
      memoryPerConnection: buffers.middle + objects.middle,
      bytesLeast: buffers.least + objects.least,
      bytesMost: buffers.most + objects.most,
      cookies: await lab.sysctl.get("net.ipv4.tcp_syncookies"),
    };
  });
}

/** Accepted and idle connections, both ends of which are sockets of this machine. */
async function pairsWeighed(lab: Lab): Promise<Weighed> {
  const pairs = Math.floor(clientsWithin(2 * mostPairs) / 2 / parts);
  const listener = await lab.listen({ backlog: pairs });
  const loop = listener.acceptLoop();
  const weighed = await weighParts(parts, async (part) => {
    await lab.connect(listener, { clients: pairs });
    await msUntil(() => loop.accepted >= (part + 1) * pairs, 2500);
    return 2 * pairs;
  });
  await loop.close();
  return weighed;
}

const textMemory = 131 * 1024;

/**
 * Claim 21: the SYN queue, the descriptors, and the bytes of kernel memory per connection on this machine. Source:
 * __sk_mem_raise_allocated().
 */
export const typicalLimits = claim({
  number: 21,
  section: "Part 2",
  statement:
    "Typical limits: 1024 to 4096 connections in the SYN queue, 1024 to 65,535 descriptors for a process, about 131 KB of kernel memory for each connection.",
  quote: "Typical System Limits",
  notebook: "00",
  evidence: {
    backlog: count("the argument of listen(2)"),
    synQueue: count("requests in the SYN queue after more SYNs"),
    softDescriptors: count("soft limit of descriptors (ulimit -Sn)"),
    memoryPerConnection: amount("bytes of kernel memory per end of an idle connection"),
    buffersPerConnection: optional(amount("bytes of buffers among them")),
    hardDescriptors: optional(count("hard limit of descriptors (ulimit -Hn)")),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
    ...rangeFields,
  },
  experiment: (once) => once(limitsOfThisMachine),
  judge({ backlog, synQueue, softDescriptors, memoryPerConnection, ...rest }) {
    const { buffersPerConnection, hardDescriptors, cookies } = rest;
    const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
    const hard = hardDescriptors === undefined ? "" : ` (hard limit ${formatNumber(hardDescriptors)})`;
    const buffers = buffersPerConnection === undefined ? "" : `, ${kibibytes(buffersPerConnection)} of this in buffers`;
    const known = cookies === undefined ? "" : `, tcp_syncookies = ${cookies}`;
    const measured = `SYN queue ${synQueue} (backlog ${backlog}${known}); ${formatNumber(softDescriptors)} descriptors${hard}; ${rangeWords(memoryPerConnection, rest, kibibytes)} of kernel memory per idle connection${buffers}`;
    const kernel = "__sk_mem_raise_allocated()";
    requireAgreement(rest, textMemory / 2, measured, kernel);
    const memory = memoryPerConnection >= textMemory / 2 && memoryPerConnection <= textMemory * 2;
    const outside = [
      ...(synQueue >= 1024 && synQueue <= 4097 ? [] : ["the SYN queue (it follows the backlog)"]),
      ...(softDescriptors >= 1024 && softDescriptors <= 65_536 ? [] : ["the descriptors"]),
    ].join(" and ");
    if (!memory) {
      const also = outside ? ` Also outside the text's range: ${outside}.` : "";
      return {
        verdict: "false",
        measured,
        why: `The kernel allocates buffer memory for a connection only while data waits in it: 128 KB is a limit, not an allocation.${also}`,
        kernel,
      };
    }
    if (outside)
      return {
        verdict: "depends",
        measured,
        why: `The memory is within the text's range. Outside its range on this machine: ${outside}.`,
        kernel,
      };
    return { verdict: "holds", measured, why: "All three are within the text's ranges on this machine.", kernel };
  },
});

async function somaxconnHere() {
  return inLab({ wire: false }, async (lab) => ({ somaxconn: await lab.sysctl.get("net.core.somaxconn") }));
}

/**
 * Claim 43: net.core.somaxconn of a new network namespace. Source: __sys_listen_socket().
 * @throws ArgumentError judge(): somaxconn is 0
 */
export const usualSomaxconn = claim({
  number: 43,
  section: "Part 4",
  statement: "SOMAXCONN is usually 128 to 4096.",
  quote: "Usually 128-4096",
  notebook: "04",
  evidence: { somaxconn: count("net.core.somaxconn of a new network namespace") },
  experiment: (once) => once(somaxconnHere),
  judge({ somaxconn }) {
    if (somaxconn === 0)
      throw new ArgumentError("somaxconn is 0, which no kernel starts with.", "Give the value of a fresh Lab.");
    const measured = `net.core.somaxconn = ${formatNumber(somaxconn)}`;
    const kernel = kernelFunction("listenCut");
    const inside = somaxconn >= 128 && somaxconn <= 4096;
    const why = inside
      ? "A new network namespace starts with this value. listen() uses the smaller of it and the backlog."
      : "On this kernel a new network namespace starts with a value outside that range.";
    return { verdict: inside ? "holds" : "false", measured, why, kernel };
  },
});
