/** Starts recordings of a listener: its queues, the Lab's counters, the states of its clients, and its events. */
import { ArgumentError, requireInteger, requireKnown, requireNumber } from "../errors";
import type { CounterFiles } from "../lab/counters";
import type { LabHost } from "../lab/host";
import type { Sysctls } from "../lab/sysctls";
import type { AcceptLoop } from "../listener/accept-loop";
import type { Listener } from "../listener/listener";
import type { Burst } from "../listener/listener-events";
import { bracketed, readTable } from "../listener/sockets-table";
import { native, type Sampler } from "../native";
import { valueAt } from "../native/column";
import { Recording } from "./recording";

/** What a recording samples, and how often. */
export interface RecordOptions {
  /** samples of the queues and of the clients' states per second, 0.1 to 10,000. Default 1000 */
  hz?: number;
  /** names of the counters to record; default: those that show what the kernel did with SYNs and final ACKs */
  counters?: string[];
  /** readings of the counters per second (each takes some 50 µs), at most `hz`. Default 100 */
  countersHz?: number;
  /**
   * false: the SYN queue is not recorded (to read it costs most: 3.5 µs, and 0.17 µs for each request). Default true
   */
  synQueue?: boolean;
  /** a name for the trace; default: none */
  name?: string;
  /**
   * of a port: only the sockets that are bound to this address, as lab.sockets() shows it ("0.0.0.0", "::"). Default:
   * all of the port
   */
  address?: string;
}

/** The counters that a recording has by default. Sources: net/ipv4/proc.c, include/uapi/linux/snmp.h */
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

/** The parts of a Lab that a recording reads. */
export interface Surroundings {
  /** the Lab's helper, which opens sockets for the sampler */
  host: LabHost;
  /** the Lab's sysctls, whose values go into the Trace's meta */
  sysctls: Sysctls;
  /** the Lab's counter files, which the sampler reads */
  counters: CounterFiles;
}

/**
 * Starts a recording of a listener, or of all that listens on a port: of a port the queues are those of all its
 * listeners, IPv4 and IPv6, added up. It ends by stop(), or with the listener or the Lab.
 * @throws ArgumentError hz out of range, an unknown counter, no socket listens on the port; ClosedError; LabError
 *   ERR_UNDECIDED: several listeners share the port, and the kernel does not tell this process which requests are this
 *   one's (see Listener.synQueue)
 */
export async function record(
  lab: Surroundings,
  target: Listener | number,
  options: RecordOptions = {},
): Promise<Recording> {
  const { host, sysctls, counters } = lab;
  host.requireOpen();
  const plan = planned(counters, options);
  const { fd } = lookUp(host, target, plan.address);
  const settings: Record<string, number | string> = {};
  for (const name of recordedSettings) settings[name] = await sysctls.get(name);
  const diagFd = fd >= 0 && !plan.synQueue ? -1 : await host.socket("diag");
  const closeDiag = () => {
    if (diagFd >= 0) native.close(diagFd);
  };
  const detach: (() => void)[] = [];
  let sampler: Sampler;
  let recording: Recording;
  let listening: Listening;
  try {
    // The Lab or the listener may have closed in the meantime. Then the numbers of their descriptors belong to other
    // files by now.
    host.requireOpen();
    listening = lookUp(host, target, plan.address);
    sampler = samplerOf(listening, plan, counters, diagFd);
    const { port, backlog, listeners } = listening;
    recording = new Recording({
      sampler,
      counterNames: plan.names,
      meta: {
        name: plan.name,
        hz: plan.hz,
        listener: { port, backlog, ...(listeners > 1 && { listeners }) },
        settings,
      },
      onStop: () => {
        for (const each of detach) each();
        host.drop(recording);
        closeDiag();
      },
    });
  } catch (error) {
    closeDiag();
    throw error;
  }
  host.keep(recording);
  const { listener } = listening;
  try {
    if (listener) detach.push(follow(listener, recording, sampler));
  } catch (error) {
    await recording.close();
    throw error;
  }
  return recording;
}

/** What was asked for, checked and with its defaults. */
interface Plan {
  hz: number;
  names: readonly string[];
  countersHz: number;
  synQueue: boolean;
  name: string | undefined;
  address: string | undefined;
}

/** @throws ArgumentError */
function planned(counters: CounterFiles, options: RecordOptions): Plan {
  requireKnown(options, ["hz", "counters", "countersHz", "synQueue", "name", "address", "live"], "record()");
  const hz = requireNumber(options.hz ?? 1000, "hz (samples per second)", 0.1, 10_000);
  const countersHz = requireNumber(
    options.countersHz ?? Math.min(100, hz),
    "countersHz (readings per second)",
    0.1,
    hz,
  );
  const names = options.counters ?? defaultCounters;
  const unknown = names.find((name) => !counters.knows(name));
  if (unknown !== undefined)
    throw new ArgumentError(
      `This kernel has no counter "${unknown}".`,
      `Full names look like TcpExt.ListenOverflows. lab.counters() has them all; meminfo.Slab is the kernel's memory for small objects, kB.`,
    );
  const { name, address } = options;
  return { hz, names, countersHz, synQueue: options.synQueue !== false, name, address };
}

/** What listens on the port: a listener of ours, or a program's. */
interface Listening {
  port: number;
  /** of our listener; -1: the kernel's table is read by the port */
  fd: number;
  backlog: number;
  /** how many share the port */
  listeners: number;
  listener?: Listener;
}

/** @throws ArgumentError no socket listens on the port; ClosedError the listener is closed */
function lookUp(host: LabHost, target: Listener | number, address?: string): Listening {
  if (typeof target !== "number") {
    if (address !== undefined)
      throw new ArgumentError(
        "A Listener has one address; `address` is for ports.",
        "Give the port instead of the Listener.",
      );
    return {
      port: requireInteger(target.port, "port", 1, 65535),
      fd: target.fd,
      backlog: target.backlog,
      listeners: 1,
      listener: target,
    };
  }
  const port = requireInteger(target, "port", 1, 65535);
  const [first, ...others] = readTable(host, { port, states: ["LISTEN"] }).filter(
    ({ local }) => address === undefined || local.address === address,
  );
  if (first === undefined)
    throw new ArgumentError(
      `No socket listens on ${address === undefined ? `port ${port}` : bracketed({ address, port })} in this Lab.`,
      "Start the program first, and wait until it listens.",
    );
  return { port, fd: -1, backlog: first.sendQueue, listeners: 1 + others.length };
}

function samplerOf({ port, fd, listener }: Listening, plan: Plan, counters: CounterFiles, diagFd: number): Sampler {
  const { hz, countersHz, names } = plan;
  const fdAt = (at: number) => valueAt(counters.fds, at);
  return new native.Sampler({
    listenerFd: fd,
    diagFd,
    port,
    // of a listener its own requests, of a port those of all its listeners
    ...(listener && diagFd >= 0 && listener.requestFilter),
    ...(plan.address !== undefined && { address: plan.address }),
    ipv6: fd < 0,
    hz,
    counters: {
      netstatFd: fdAt(0),
      snmpFd: fdAt(1),
      sockstatFd: fdAt(2),
      meminfoFd: fdAt(3),
      hz: countersHz,
      names: [...names],
    },
  });
}

/**
 * Takes a listener's clients, accept loops and events into its recording, and ends the recording with the listener.
 * @returns undoes it
 */
function follow(listener: Listener, recording: Recording, sampler: Sampler): () => void {
  const addClients = (clients: Burst) => clients.natives.forEach((each) => sampler.addClients(each));
  const addLoop = (loop: AcceptLoop) => sampler.addAcceptor(loop.native);
  const mark = (name: string, detail?: string) => {
    if (recording.running) recording.mark(name, detail);
  };
  const onClose = (waitFor: (done: Promise<unknown>) => void) => waitFor(recording.close());
  for (const clients of listener.bursts) addClients(clients);
  for (const loop of listener.loops) addLoop(loop);
  listener.on("clients", addClients).on("loop", addLoop).on("mark", mark).on("close", onClose);
  return () => void listener.off("clients", addClients).off("loop", addLoop).off("mark", mark).off("close", onClose);
}
