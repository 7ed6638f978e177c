/**
 * Attack: a connection to a server on the machine's own loopback
 * Wall: the network namespace
 * Told: ^It threw: connect ECONNREFUSED 127\.0\.0\.1:\d+$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const net = require("net");
  await new Promise((ok, no) => net.connect(Number("__OUTSIDE_PORT__"), "127.0.0.1", ok).on("error", no));
  return { maximum: -1, waiting: -1 };
}
