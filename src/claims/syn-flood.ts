/** Claims 54, 57 and 58: a flood of SYNs without and with SYN cookies. */
import { ArgumentError } from "../errors";
import { formatNumber } from "../wording/number";
import { claim } from "./claim";
import { count, group, list, optional } from "./evidence";
import { inLab } from "./experiment";
import { othersField, requireQuietMachine, watchProcessors } from "./processor-share";
import { type FloodOutcome, underFlood } from "./under-flood";

async function floods() {
  return inLab({ sysctls: { "net.ipv4.tcp_max_syn_backlog": 4096 } }, async (lab) => {
    const run = async (flood: number, cookies: number) =>
      (await underFlood(lab, { cookies, flood, clients: 100 })).outcome;
    const others = watchProcessors();
    return {
      calm: await run(0, 0),
      off: await run(100_000, 0),
      whenFull: await run(100_000, 1),
      others: others(),
    };
  });
}

const outcome = {
  cookies: count("net.ipv4.tcp_syncookies"),
  flood: count("SYNs of the flood"),
  clients: count("honest clients that connected meanwhile"),
  connected: count("honest clients that the application accepted during the flood"),
  synQueue: count("requests in the SYN queue during the flood"),
  cookiesSent: count("SyncookiesSent"),
};

function words({ cookies, flood, clients, connected, synQueue }: FloodOutcome): string {
  return `tcp_syncookies ${cookies}, ${formatNumber(flood)} SYNs: ${connected} of ${clients} honest clients connect${flood > 0 ? " meanwhile" : ""}, SYN queue ${synQueue}`;
}

/**
 * Claim 54: how many of 100 honest clients connect during a flood without SYN cookies. The experiment calls
 * underFlood() with 100,000 SYNs. Source: tcp_conn_request().
 * @throws ArgumentError judge(): no flood, no honest clients, or SYN cookies are on; the clients did not connect
 * without a flood either
 */
export const floodWithoutCookies = claim({
  number: 54,
  section: "Part 5",
  statement: "A flood of 100,000 SYNs from false addresses fills the SYN queue, and legitimate clients cannot connect.",
  quote: "Legitimate clients: Cannot complete handshake",
  notebook: "07",
  evidence: {
    without: group("honest clients during a flood, SYN cookies off", outcome),
    calm: optional(group("the same without a flood", outcome)),
    others: othersField,
  },
  experiment: async (once) => {
    const { calm, off, others } = await once(floods);
    return { without: off, calm, others };
  },
  judge({ without, calm, others }) {
    if (without.flood === 0 || without.clients === 0)
      throw new ArgumentError("A flood and honest clients are needed.", "Give a measurement with both.");
    if (without.cookies !== 0)
      throw new ArgumentError("This claim is about a kernel without SYN cookies.", "Set tcp_syncookies to 0.");
    const measured = [words(without), ...(calm ? [words(calm)] : [])].join("; ");
    const kernel = "tcp_conn_request()";
    if (calm && calm.connected < 0.9 * calm.clients) {
      requireQuietMachine(others, measured, kernel);
      throw new ArgumentError(
        "Without a flood the clients did not connect either.",
        "Find out what else keeps them out.",
      );
    }
    if (without.connected * 2 < without.clients)
      return {
        verdict: "holds",
        measured,
        why: "A full SYN queue drops every new SYN, honest or forged. When it is more than half full, reqsk_timer_handler() deletes requests after fewer retransmissions than tcp_synack_retries allows, but that still takes seconds.",
        kernel,
      };
    requireQuietMachine(others, measured, kernel);
    return { verdict: "false", measured, why: "Most of the honest clients connected.", kernel };
  },
});

/**
 * Claim 57: how many of 100 honest clients connect during a flood with SYN cookies. The experiment is that of claim 54.
 * Source: cookie_v4_check().
 * @throws ArgumentError judge(): no cookie was sent
 */
export const cookiesServe = claim({
  number: 57,
  section: "Part 5",
  statement:
    "With SYN cookies the ACK's number is validated, the connection is made from it, and legitimate clients still connect during a flood.",
  quote: "Legitimate clients still work during attack",
  notebook: "07",
  evidence: {
    with: group("honest clients during a flood, SYN cookies on", outcome),
    without: optional(group("the same with cookies off", outcome)),
    others: othersField,
  },
  experiment: async (once) => {
    const { off, whenFull, others } = await once(floods);
    return { with: whenFull, without: off, others };
  },
  judge({ with: on, without, others }) {
    if (on.flood === 0 || on.cookiesSent === 0)
      throw new ArgumentError("No cookie was sent.", "Flood the listener with tcp_syncookies 1 or 2.");
    const measured = [words(on), ...(without ? [words(without)] : [])].join("; ");
    const kernel = "cookie_v4_check()";
    if (on.connected >= 0.95 * on.clients)
      return {
        verdict: "holds",
        measured,
        why: "The kernel rebuilds the connection from the cookie. But it loses the SYN's options except the MSS, unless the client uses timestamps.",
        kernel,
      };
    requireQuietMachine(others, measured, kernel);
    return {
      verdict: on.connected * 2 > on.clients ? "depends" : "false",
      measured,
      why: "Some of the honest clients did not connect.",
      kernel,
    };
  },
});

async function defaultCookies() {
  return inLab({}, async (lab) => {
    const value = await lab.sysctl.get("net.ipv4.tcp_syncookies");
    const rows = [];
    for (const cookies of [0, 1, 2]) {
      await lab.sysctl.set({ "net.ipv4.tcp_syncookies": cookies });
      const listener = await lab.listen({ backlog: 16 });
      const before = lab.counters();
      const flood = await lab.flood(listener, { count: 100 });
      await flood.finished();
      rows.push({
        cookies,
        syns: 100,
        cookiesSent: lab.counters().since(before).get("SyncookiesSent"),
        synQueue: listener.synQueue,
      });
      await listener.close();
    }
    return { value, rows };
  });
}

/**
 * Claim 58: what each value of net.ipv4.tcp_syncookies does. The experiment sends 100 SYNs to a backlog of 16 under
 * each. Source: tcp_syn_flood_action().
 * @throws ArgumentError judge(): the settings 0 and 1 were not compared
 */
export const cookiesSetting = claim({
  number: 58,
  section: "Part 5",
  statement: "SYN cookies are enabled by net.ipv4.tcp_syncookies = 1.",
  quote: "sysctl -w net.ipv4.tcp_syncookies=1",
  notebook: "07",
  evidence: {
    value: count("the value of a new Lab"),
    rows: list("a small flood under each setting", {
      cookies: count("net.ipv4.tcp_syncookies"),
      syns: count("SYNs"),
      cookiesSent: count("SyncookiesSent"),
      synQueue: count("requests in the SYN queue"),
    }),
  },
  experiment: (once) => once(defaultCookies),
  judge({ value, rows }) {
    const sent = (setting: number) =>
      rows.filter(({ cookies }) => cookies === setting).reduce((sum, { cookiesSent }) => sum + cookiesSent, 0);
    if (!rows.some(({ cookies }) => cookies === 0) || !rows.some(({ cookies }) => cookies === 1))
      throw new ArgumentError("Settings 0 and 1 must be compared.", "Measure both.");
    const measured = `a new namespace has ${value}; cookies sent: ${rows.map(({ cookies, cookiesSent, syns }) => `${cookiesSent} of ${syns} with ${cookies}`).join(", ")}`;
    const kernel = "tcp_syn_flood_action()";
    if (sent(1) === 0 || sent(0) > 0)
      return { verdict: "false", measured, why: "The setting does not enable SYN cookies in this way.", kernel };
    const already = value === 1 ? " It is the default, so it need not be set." : "";
    return {
      verdict: "holds",
      measured,
      why: `With 1 the kernel sends cookies when the SYN queue is full, with 2 always.${already}`,
      kernel,
    };
  },
});
