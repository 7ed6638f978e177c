/**
 * The sysctls that the workbook works with, and what a kernel does that does not have one of them.
 * Source: Documentation/networking/ip-sysctl.rst, and the sources of Linux 5.10, 6.1, 6.12 and 7.2.
 */

/**
 * The sysctls that the workbook uses, with their types. Every other sysctl of the namespace can be read and set by its
 * name, too.
 */
export interface KnownSysctls {
  /** the largest backlog of a listener in this namespace: the queue limit is min(backlog, somaxconn) */
  "net.core.somaxconn": number;
  /** SYN cookies: 0 off, 1 when the SYN queue is full, 2 always */
  "net.ipv4.tcp_syncookies": number;
  /** with SYN cookies off, 3/4 of it limits the SYN queue of every listener, in requests (tcp_conn_request()) */
  "net.ipv4.tcp_max_syn_backlog": number;
  /** 1: the kernel answers a final ACK with RST if the accept queue is full; 0: it drops the ACK */
  "net.ipv4.tcp_abort_on_overflow": number;
  /** retransmissions of a SYN before connect() fails with ETIMEDOUT; the linear ones (Linux 6.5) come on top */
  "net.ipv4.tcp_syn_retries": number;
  /** retransmissions of a SYN-ACK before the kernel deletes the request */
  "net.ipv4.tcp_synack_retries": number;
  /**
   * one less than the number of SYN retransmissions that have a constant interval of 1 s (Linux 6.5); after them each
   * interval is twice the one before
   */
  "net.ipv4.tcp_syn_linear_timeouts": number;
  /** bits of TCP Fast Open (RFC 7413): 1 clients, 2 servers, 0x400 every listener without setsockopt() */
  "net.ipv4.tcp_fastopen": number;
  /** 1: connections of a closed listener move to another listener of its SO_REUSEPORT group (Linux 5.14) */
  "net.ipv4.tcp_migrate_req": number;
  /** the longest interval between two retransmissions, ms (Linux 6.15) */
  "net.ipv4.tcp_rto_max_ms": number;
  /** timestamps option (RFC 7323): 0 off, 1 with a random offset, 2 without */
  "net.ipv4.tcp_timestamps": number;
  /** selective acknowledgments (RFC 2018): 0 off, 1 on */
  "net.ipv4.tcp_sack": number;
  /** window scale option (RFC 7323): 0 off, 1 on */
  "net.ipv4.tcp_window_scaling": number;
  /** seconds that a connection without a descriptor may stay in FIN_WAIT_2 */
  "net.ipv4.tcp_fin_timeout": number;
  /** the most TIME_WAIT connections of the namespace; the kernel deletes further ones at once */
  "net.ipv4.tcp_max_tw_buckets": number;
  /** whether connect() may reuse a TIME_WAIT connection: 0 never, 1 always, 2 on loopback only */
  "net.ipv4.tcp_tw_reuse": number;
  /** the first and the last local port that the kernel chooses for connect(): "32768\t60999" */
  "net.ipv4.ip_local_port_range": string;
  /** bytes of a socket's receive buffer: least, default, most: "4096\t131072\t6291456" */
  "net.ipv4.tcp_rmem": string;
  /** bytes of a socket's send buffer: least, default, most: "4096\t16384\t4194304" */
  "net.ipv4.tcp_wmem": string;
}

/** The name of a sysctl that the workbook uses: "net.core.somaxconn", … */
export type SysctlName = keyof KnownSysctls;

/** The names, for messages that propose one. */
export const sysctlNames: readonly SysctlName[] = [
  "net.core.somaxconn",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_abort_on_overflow",
  "net.ipv4.tcp_syn_retries",
  "net.ipv4.tcp_synack_retries",
  "net.ipv4.tcp_syn_linear_timeouts",
  "net.ipv4.tcp_fastopen",
  "net.ipv4.tcp_migrate_req",
  "net.ipv4.tcp_rto_max_ms",
  "net.ipv4.tcp_timestamps",
  "net.ipv4.tcp_sack",
  "net.ipv4.tcp_window_scaling",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_max_tw_buckets",
  "net.ipv4.tcp_tw_reuse",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

/** A sysctl that older kernels do not have, or do not show. */
export interface Absence {
  /** the kernel version that has it, as text */
  since: string;
  /** the value that the kernel without it behaves by; undefined: it must be measured */
  like?: number;
  /** the kernel function that uses it, or that hides it */
  kernel: string;
}

/** What a kernel does that has no file for one of these. */
export const absences: Readonly<Partial<Record<string, Absence>>> = {
  "net.core.somaxconn": { since: "6.12", kernel: "sysctl_core_net_init()" },
  "net.ipv4.tcp_syn_linear_timeouts": { since: "6.5", like: 0, kernel: "tcp_retransmit_timer()" },
  "net.ipv4.tcp_migrate_req": { since: "5.14", like: 0, kernel: "inet_csk_listen_stop()" },
  "net.ipv4.tcp_rto_max_ms": { since: "6.15", like: 120_000, kernel: "tcp_retransmit_timer()" },
};

/** The known sysctl with the most letter pairs in common with `name`, other than `name` itself. */
export function nearestSysctl(name: string): SysctlName {
  const pairs = (text: string) => new Set([...text].map((_, at) => text.slice(at, at + 2)));
  const wanted = pairs(name);
  const score = (candidate: string) =>
    candidate === name ? -1 : [...pairs(candidate)].filter((pair) => wanted.has(pair)).length / candidate.length;
  return sysctlNames.reduce((best, candidate) => (score(candidate) > score(best) ? candidate : best));
}
