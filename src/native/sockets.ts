/** The results of single system calls. */

/** One end of a connection, or the address of a listener. */
export interface Endpoint {
  /** IPv4 address: "127.0.0.1" */
  address: string;
  /** port, host order */
  port: number;
}

/** The fields of getsockopt(TCP_INFO). Source: tcp_get_info(), include/uapi/linux/tcp.h */
export interface TcpInfo {
  /**
   * include/net/tcp_states.h: 1 ESTABLISHED, 2 SYN_SENT, 3 SYN_RECV, 4 FIN_WAIT1, … 7 CLOSE, 8 CLOSE_WAIT, 10 LISTEN
   */
  state: number;
  /** segments sent and not acknowledged; of a listener: the length of its accept queue */
  unacked: number;
  /** segments acknowledged by SACK; of a listener: the limit of its accept queue */
  sacked: number;
  /** timeouts in a row of the oldest unacknowledged segment; in SYN_SENT: retransmissions of the SYN so far */
  retransmits: number;
  /** retransmissions of this connection in all */
  totalRetrans: number;
  /** smoothed round-trip time, ms */
  rtt: number;
  /** variation of the round-trip time, ms (RFC 6298) */
  rttVar: number;
  /** bit mask: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 32 SYN data (Fast Open) */
  options: number;
  /** window scale of the peer (RFC 7323) */
  sndWscale: number;
  /** window scale of this socket */
  rcvWscale: number;
  /** bytes of data in a segment that it sends, at most */
  sndMss: number;
  /** bytes of data in a segment that it receives, estimated */
  rcvMss: number;
  /** maximum segment size that it has advertised, bytes */
  advMss: number;
  /** path MTU, bytes */
  pmtu: number;
  /** bytes that the peer has acknowledged */
  bytesAcked: number;
  /** bytes that it has received in order */
  bytesReceived: number;
  /** segments sent */
  segsOut: number;
  /** segments received */
  segsIn: number;
}

/**
 * Rows of a sock_diag dump as columns: entry i of each array belongs to socket i. Source: sock_diag(7), struct
 * inet_diag_msg.
 */
export interface DiagRows {
  /** the number of sockets */
  length: number;
  /** states, as in TcpInfo */
  state: Uint8Array;
  /** IPv4 addresses as host-order integers; of IPv6 sockets the last four bytes */
  localAddress: Uint32Array;
  /** local ports */
  localPort: Uint16Array;
  /** IPv4 addresses as host-order integers; 0 of a listener */
  remoteAddress: Uint32Array;
  /** remote ports; 0 of a listener */
  remotePort: Uint16Array;
  /** addresses of IPv6 sockets as text; an IPv4-mapped one is "::ffff:127.0.0.1". Empty for IPv4 sockets */
  localAddress6: string[];
  remoteAddress6: string[];
  /** 1: IPV6_V6ONLY, told of IPv6 listeners */
  v6only: Uint8Array;
  /** 1: a half-open request (request_sock). With Fast Open a socket, too, may be in SYN_RECV */
  request: Uint8Array;
  /**
   * SO_MARK; of a request that of its listener (inet_request_mark()). 0: none, or not told (that takes CAP_NET_ADMIN
   * over the namespace)
   */
  mark: Uint32Array;
  /** 0 none, 1 retransmit (and SYN-ACK), 2 keepalive, 3 TIME_WAIT, 4 zero window probe */
  timer: Uint8Array;
  /** retransmissions by the timer so far */
  retransmits: Uint8Array;
  /** ms until the timer fires */
  expires: Uint32Array;
  /** LISTEN: accept queue length; else unread bytes */
  receiveQueue: Uint32Array;
  /** LISTEN: accept queue limit; else unacknowledged bytes */
  sendQueue: Uint32Array;
  /** 0 for sockets without a descriptor: requests and connections not yet accepted */
  inode: Float64Array;
}

/** A TCP socket in LISTEN, as sock_diag tells it. */
export interface ListeningSocket {
  /** of IP: the family of the socket */
  version: 4 | 6;
  /** text of inet_ntop(3) */
  address: string;
  /** index and name of the interface it is bound to (SO_BINDTODEVICE); 0 and "": any */
  device: number;
  deviceName: string;
  port: number;
  /** IPV6_V6ONLY; false for IPv4 */
  v6only: boolean;
  /** connections that wait for accept(): sk_ack_backlog */
  acceptQueue: number;
  /** the queue limit min(backlog, somaxconn): sk_max_ack_backlog */
  maximum: number;
  /** SYNs and final ACKs that the kernel has dropped at this socket since it was made: sk_drops (tcp_listendrop()); wraps at 2^32 */
  drops: number;
  inode: number;
  /** upper layer protocol, "mptcp" for the listener of an MPTCP socket; "": none */
  ulp: string;
}

/** A UNIX stream or seqpacket socket in LISTEN. */
export interface UnixListeningSocket {
  /** path, "@name" in the abstract namespace, "" without a name */
  name: string;
  /** connections that wait for accept() */
  acceptQueue: number;
  /** the backlog given to listen() or somaxconn; connect() waits when more than this are queued (unix_recvq_full()) */
  maximum: number;
  inode: number;
}
