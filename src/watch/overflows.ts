import { readFileSync } from "node:fs";

/**
 * SYNs and final ACKs that met a full accept queue since this network namespace was made, whichever listener's it was: the kernel counts them for
 * all of them together (LINUX_MIB_LISTENOVERFLOWS, tcp_conn_request() and tcp_v4_syn_recv_sock()).
 */
export function readOverflows(): number {
  const [names = [], values = []] = readFileSync("/proc/net/netstat", "utf8")
    .split("\n")
    .filter((text) => text.startsWith("TcpExt:"))
    .map((text) => text.split(" "));
  return Number(values[names.indexOf("ListenOverflows")]);
}
