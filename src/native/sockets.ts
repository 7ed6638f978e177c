/** What single system calls take and tell. */
export interface Endpoint {
  address: string;
  port: number;
}

/** What getsockopt(TCP_INFO) says; on a listener `unacked` is the accept queue and `sacked` its maximum (tcp_get_info()). */
export interface TcpInfo {
  /** include/net/tcp_states.h: 1 ESTABLISHED, 2 SYN_SENT, 3 SYN_RECV, 4 FIN_WAIT1, … 7 CLOSE, 8 CLOSE_WAIT, 10 LISTEN */
  state: number;
  unacked: number;
  sacked: number;
  /** consecutive timeouts of the segment in flight; for SYN_SENT the SYN resends so far */
  retransmits: number;
  totalRetrans: number;
  /** smoothed round-trip time, ms */
  rtt: number;
  rttVar: number;
  /** bit mask: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 32 SYN data (Fast Open) */
  options: number;
  sndWscale: number;
  rcvWscale: number;
  sndMss: number;
  rcvMss: number;
  advMss: number;
  pmtu: number;
  bytesAcked: number;
  bytesReceived: number;
  segsOut: number;
  segsIn: number;
}

/** Rows of a sock_diag dump as columns, one entry a socket. Source: inet_diag(7 sock_diag), struct inet_diag_msg. */
export interface DiagRows {
  length: number;
  state: Uint8Array;
  /** IPv4 addresses as host-order integers */
  localAddress: Uint32Array;
  localPort: Uint16Array;
  remoteAddress: Uint32Array;
  remotePort: Uint16Array;
  /** 0 none, 1 retransmit (and SYN-ACK), 2 keepalive, 3 TIME_WAIT, 4 zero window probe */
  timer: Uint8Array;
  retransmits: Uint8Array;
  /** ms until the timer fires */
  expires: Uint32Array;
  /** LISTEN: accept queue length; else unread bytes */
  receiveQueue: Uint32Array;
  /** LISTEN: accept queue maximum; else unacknowledged bytes */
  sendQueue: Uint32Array;
  /** 0 for sockets without a descriptor: requests and connections not yet accepted */
  inode: Float64Array;
}
