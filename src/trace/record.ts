/**
 * Starts recordings of a listener: its queues, the Lab's counters, the states of its clients, and what was done to it.
 */
import { ArgumentError, requireInteger, requireKnown, requireNumber } from "../errors";
import type { CounterFiles } from "../lab/counters";
import type { LabHost } from "../lab/host";
import type { Closable } from "../lab/owned";
import type { Sysctls } from "../lab/sysctls";
import type { AcceptLoop } from "../listener/accept-loop";
import type { Burst, Listener } from "../listener/listener";
import { readTable } from "../listener/sockets-table";
import { native } from "../native";
import { Recording } from "./recording";

export interface RecordOptions {
  /** samples of queues and client states a second, 1 to 10,000. Default 1000 */
  hz?: number;
  /** counters to record; default: those that tell what became of a SYN and of a final ACK */
  counters?: string[];
  /** readings of the counters a second (each costs some 50 us). Default 100, at most hz */
  countersHz?: number;
  /** false: leave the SYN queue out (reading it costs most: 3.5 us and 0.17 us a request) */
  synQueue?: boolean;
  name?: string;
}

export const defaultCounters = [
  "TcpExt.ListenOverflows",
  "TcpExt.ListenDrops",
  "TcpExt.TCPReqQFullDrop",
  "TcpExt.TCPReqQFullDoCookies",
  "TcpExt.SyncookiesSent",
  "TcpExt.SyncookiesRecv",
  "TcpExt.SyncookiesFailed",
  "TcpExt.TCPSynRetrans",
  "TcpExt.TCPTimeouts",
  "Tcp.PassiveOpens",
  "Tcp.AttemptFails",
  "Tcp.EstabResets",
];

const recordedSettings = [
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_abort_on_overflow",
] as const;

export interface Surroundings {
  host: LabHost;
  sysctls: Sysctls;
  counters: CounterFiles;
}

/** @throws ArgumentError: hz out of range, an unknown counter; ClosedError */
export async function record(
  { host, sysctls, counters }: Surroundings,
  target: Listener | number,
  options: RecordOptions = {},
): Promise<Recording> {
  requireKnown(options, ["hz", "counters", "countersHz", "synQueue", "name", "live"], "record()");
  const hz = requireNumber(options.hz ?? 1000, "hz (samples a second)", 0.1, 10_000);
  const names = options.counters ?? defaultCounters;
  const countersHz = requireNumber(options.countersHz ?? Math.min(100, hz), "countersHz (readings a second)", 0.1, hz);
  const { port, fd, backlog, listeners, listener } = lookUp(host, target);
  for (const name of names)
    if (!counters.knows(name))
      throw new ArgumentError(
        `This kernel has no counter "${name}".`,
        `Full names look like ${defaultCounters[0]}; lab.counters() has them all, and meminfo.Slab is the kernel's memory for small objects, kB.`,
      );

  const settings: Record<string, number | string> = {};
  for (const name of recordedSettings) settings[name] = await sysctls.get(name);
  const diagFd = options.synQueue === false && fd >= 0 ? -1 : (await host.sockets("diag", 1))[0];
  const [netstatFd, snmpFd, sockstatFd, meminfoFd] = counters.fds;
  let sampler;
  let recording: Recording;
  try {
    sampler = new native.Sampler({
      listenerFd: fd,
      diagFd,
      port,
      ipv6: fd < 0,
      hz,
      counters: { netstatFd, snmpFd, sockstatFd, meminfoFd, hz: countersHz, names },
    });
    recording = new Recording({
      sampler,
      counterNames: names,
      meta: { name: options.name, hz, listener: { port, backlog, ...(listeners > 1 && { listeners }) }, settings },
      onStop: () => end(),
    });
  } catch (error) {
    if (diagFd >= 0) native.close(diagFd);
    throw error;
  }

  const addClients = (clients: Burst) => clients.natives.forEach((each) => sampler.addClients(each));
  const addLoop = (loop: AcceptLoop) => sampler.addAcceptor(loop.native);
  const mark = (name: string, detail?: string) => {
    if (recording.running) recording.mark(name, detail);
  };
  const stop = () => void recording.stop().catch(() => undefined);
  // the Lab, and a failing cell, end recordings like everything else
  const lifeline: Closable = {
    close: () =>
      recording.stop().then(
        () => undefined,
        () => undefined,
      ),
  };
  const end = () => {
    listener?.off("clients", addClients).off("loop", addLoop).off("mark", mark).off("close", stop);
    host.drop(lifeline);
    if (diagFd >= 0) native.close(diagFd);
  };
  host.keep(lifeline);
  for (const clients of listener?.bursts ?? []) addClients(clients);
  for (const loop of listener?.loops ?? []) addLoop(loop);
  listener?.on("clients", addClients).on("loop", addLoop).on("mark", mark).on("close", stop);
  return recording;
}

/** A listener of ours is read by its descriptor; a program's by the kernel's table. @throws ArgumentError nobody listens on that port */
function lookUp(
  host: LabHost,
  target: Listener | number,
): { port: number; fd: number; backlog: number; listeners: number; listener?: Listener } {
  if (typeof target !== "number")
    return {
      port: requireInteger(target.port, "port", 1, 65535),
      fd: target.fd,
      backlog: target.backlog,
      listeners: 1,
      listener: target,
    };
  const port = requireInteger(target, "port", 1, 65535);
  const found = readTable(host, { port, states: ["LISTEN"] });
  if (found.length === 0)
    throw new ArgumentError(
      `Nobody listens on port ${port} in this Lab.`,
      "Start the program first, and wait until it listens.",
    );
  return { port, fd: -1, backlog: found[0].sendQueue, listeners: found.length };
}
