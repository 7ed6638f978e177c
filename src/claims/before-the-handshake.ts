/** Claims 38 and 39: what can stop SYNs before a handshake begins. */
import os from "node:os";
import { ArgumentError, type LabError } from "../errors";
import type { Lab } from "../front-door";
import { formatNumber } from "../wording/number";
import { claim, UndecidedError } from "./claim";
import { amount, count, optional, text } from "./evidence";
import { inLab } from "./experiment";
import { withCookies } from "./cookies-setting";

const flood = 50_000;

async function unlimited() {
  return inLab({}, async (lab) => {
    const cookies = await lab.sysctl.get("net.ipv4.tcp_syncookies");
    const listener = await lab.listen();
    const before = lab.counters();
    const ghosts = await lab.flood(listener, { count: flood });
    const { sent, answered } = await ghosts.finished();
    return {
      syns: sent,
      reached: lab.counters().since(before).get("Tcp.InSegs"),
      answered,
      rate: ghosts.rate,
      cookies,
    };
  });
}

/**
 * Claim 38: whether the kernel limits the rate of SYNs. The experiment sends 50,000 SYNs as fast as one thread can.
 * Source: tcp_conn_request().
 * @throws ArgumentError judge(): fewer than 1,000 SYNs; SYN cookies are off
 */
export const rateLimited = claim({
  number: 38,
  section: "Part 3",
  statement: "The kernel limits the rate of SYNs before the application sees anything of them.",
  quote: "Kernel can reject excessive SYNs",
  notebook: "07",
  evidence: {
    syns: count("SYNs sent"),
    reached: count("segments that TCP received meanwhile (Tcp.InSegs)"),
    answered: count("SYNs that were answered"),
    rate: amount("SYNs per second"),
    cookies: optional(count("net.ipv4.tcp_syncookies")),
  },
  experiment: (once) => once(unlimited),
  judge({ syns, reached, answered, rate, cookies }) {
    if (syns < 1000) throw new ArgumentError(`${syns} SYNs are not excessive.`, "Send some ten thousand SYNs.");
    if (cookies === 0)
      throw new ArgumentError(
        "Without SYN cookies a full SYN queue answers no SYN, whatever the rate.",
        "Set tcp_syncookies to 1, the default, or 2.",
      );
    const measured = `${formatNumber(syns)} SYNs at ${formatNumber(Math.round(rate))} per second: ${formatNumber(reached)} reached TCP, ${formatNumber(answered)} were answered${withCookies(cookies)}`;
    const kernel = "tcp_conn_request()";
    if (answered < 0.9 * syns)
      return { verdict: "holds", measured, why: "The kernel did not answer all SYNs.", kernel };
    return {
      verdict: "false",
      measured,
      why: "The kernel has no such limit by itself: it answered the SYNs. A limit must be set up, in netfilter or in front of the machine.",
      kernel,
    };
  },
});

const absent = "is not installed";

/** A rule that drops SYNs to a port; the tool that took it. @throws UndecidedError neither nft nor iptables can be used */
async function filterSyns(lab: Lab, port: number): Promise<string> {
  const attempts: [string, string[]][] = [
    [
      "nft",
      [
        `add table ip lab; add chain ip lab first { type filter hook prerouting priority -300; }; add rule ip lab first tcp dport ${port} tcp flags syn drop`,
      ],
    ],
    ["iptables", ["-t", "raw", "-A", "PREROUTING", "-p", "tcp", "--dport", String(port), "--syn", "-j", "DROP"]],
  ];
  const failures: string[] = [];
  for (const [tool, rule] of attempts) {
    try {
      const { code, stderr } = await (await lab.spawn(tool, rule)).output();
      if (code === 0) return tool;
      failures.push(`${tool}: ${stderr.trim().split("\n")[0]}`);
    } catch (error) {
      if ((error as LabError).code !== "ENOENT") throw error;
      failures.push(`${tool} ${absent}`);
    }
  }
  throw new UndecidedError(
    `no packet filter can be used in the Lab (${failures.join("; ")})`,
    failures.every((failure) => failure.endsWith(absent))
      ? "Neither tool is installed. Install one: sudo apt-get install nftables."
      : `A tool is there, but this kernel (Linux ${os.release()}) or this user's rights have not what it needs (CONFIG_NF_TABLES, ip_tables).`,
    "nf_register_net_hook()",
  );
}

async function filtered() {
  return inLab({}, async (lab) => {
    const listener = await lab.listen();
    const tool = await filterSyns(lab, listener.port);
    const before = lab.counters();
    const { sent, answered } = await (await lab.flood(listener, { count: 1000 })).finished();
    return {
      tool,
      syns: sent,
      answered,
      entries: listener.synQueue,
      reached: lab.counters().since(before).get("Tcp.InSegs"),
    };
  });
}

/**
 * Claim 39: whether a packet filter drops SYNs before the handshake. The experiment sets a rule with nft or iptables in
 * its Lab and sends 1,000 SYNs. It fails with ENOENT if neither tool is installed. Source: nf_hook_slow().
 * @throws ArgumentError judge(): no SYN was sent
 */
export const filteredBefore = claim({
  number: 39,
  section: "Part 3",
  statement: "iptables or nftables can filter SYNs before the handshake begins.",
  quote: "iptables/nftables can filter before handshake",
  notebook: "07",
  evidence: {
    tool: text("the tool that set the rule"),
    syns: count("SYNs sent after it"),
    answered: count("SYNs that were answered"),
    entries: count("requests in the SYN queue"),
    reached: count("segments that TCP received (Tcp.InSegs)"),
  },
  experiment: (once) => once(filtered),
  judge({ tool, syns, answered, entries, reached }) {
    if (syns === 0) throw new ArgumentError("No SYN was sent.", "Send some after the rule is set.");
    const measured = `${tool} drops SYNs: of ${formatNumber(syns)}, ${reached} reached TCP, ${answered} were answered, ${entries} are in the SYN queue`;
    const kernel = "nf_hook_slow()";
    if (answered === 0 && entries === 0 && reached < syns)
      return {
        verdict: "holds",
        measured,
        why: "The netfilter hook runs before TCP, so the listener never sees these SYNs.",
        kernel,
      };
    return { verdict: "false", measured, why: "SYNs passed the filter.", kernel };
  },
});
