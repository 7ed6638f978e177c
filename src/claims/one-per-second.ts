/** Claims 22 and 52: one accept per second, and clients that time out. */
import { ArgumentError } from "../errors";
import { countOf, formatNumber } from "../wording/number";
import { burst, type BurstOutcome, lost, outcomeFields } from "./burst";
import { claim } from "./claim";
import { type Haste, hasten } from "./client-timeouts";
import { amount, group } from "./evidence";
import { clientsWithin, inLab } from "./experiment";

const backlog = 128;

/**
 * The text's loop with one accept per second, made faster. hasten() divides the clients' timeout by a factor. The loop accepts this factor
 * of connections per second. Two Labs do this at the same time, one without SYN cookies and one with them.
 */
async function onePerSecond(wanted: number) {
  // both Labs have their clients at the same time
  const clients = Math.floor(clientsWithin(2 * wanted) / 2);
  const run = (cookies: number) =>
    inLab(
      { wire: false, sysctls: { "net.ipv4.tcp_syncookies": cookies } },
      async (lab): Promise<Haste & { outcome: BurstOutcome }> => {
        const haste = await hasten(lab);
        return {
          ...haste,
          outcome: await burst(lab, {
            clients,
            backlog,
            rate: Math.round(haste.usualPatience / haste.patience),
            seconds: 30,
          }),
        };
      },
    );
  const [{ patience, usualPatience, outcome: without }, { outcome: withCookies }] = await Promise.all([run(0), run(1)]);
  return { scale: without.rate, patience, usualPatience, without, withCookies };
}

const fiveHundred = () => onePerSecond(500);
const thousand = () => onePerSecond(1000);

const bothClocks = {
  scale: amount("accepts per second, where the text has one"),
  patience: amount("seconds after which a client timed out"),
  usualPatience: amount("seconds after which it times out by default"),
  without: group("without SYN cookies", outcomeFields),
  withCookies: group("with SYN cookies", outcomeFields),
};

type BothClocks = Haste & { scale: number; without: BurstOutcome; withCookies: BurstOutcome };

function requireOverflow(seen: { clients: number; backlog: number }): void {
  if (seen.clients <= seen.backlog + 1)
    throw new ArgumentError(
      `${countOf(seen.clients, "client")} cannot overflow a backlog of ${seen.backlog}.`,
      "Connect more clients than the backlog.",
    );
}

function clocks({
  scale,
  patience,
  usualPatience,
}: {
  scale: number;
  patience: number;
  usualPatience: number;
}): string {
  return `at ${scale} accepts per second and with clients that time out after ${patience.toFixed(0)} s (${usualPatience.toFixed(0)} s by default)`;
}

/** Whether the clients' timeout was divided by the factor by which the loop was made faster, within 10 %. */
function sameHaste({ scale, patience, usualPatience }: BothClocks): boolean {
  return Math.abs(usualPatience / patience / scale - 1) < 0.1;
}

/** What the faster run cannot show. */
const fewerResends =
  " (No sysctl makes the first interval shorter than 1 s. At the text's own pace clients retransmit more often, so the numbers of timeouts and phantoms may differ.)";

/**
 * Claim 22: 500 clients and one accept() per second. The experiment is onePerSecond(500); times are in seconds. Source:
 * tcp_conn_request().
 * @throws ArgumentError judge(): the clients fit into the accept queue
 */
export const evenDelivery = claim({
  number: 22,
  section: "Part 2",
  statement:
    "500 clients and one accept() per second: 128 queue, 372 wait in the kernel and are delivered one per second, in 372 s.",
  quote: "continues for 372 seconds to drain all connections",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(fiveHundred),
  judge(seen) {
    const { scale, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, seconds, resends, ...rest }: BurstOutcome) =>
      `${accepted} of ${clients} clients were accepted after ${seconds.toFixed(1)} s, ${formatNumber(resends)} SYNs retransmitted, ${lost(rest)}`;
    const ideal = without.clients / scale;
    const measured = `${without.acceptQueue} queued, ${without.outside} in no queue; ${clocks(seen)} ${run(without)}; ${run(withCookies)}; the text's arithmetic gives ${ideal.toFixed(1)} s`;
    const kernel = "tcp_conn_request()";
    if (without.outside === 0 && withCookies.outside === 0)
      return { verdict: "holds", measured, why: "All clients waited in the kernel.", kernel };
    const even = [without, withCookies].filter(
      ({ accepted, clients, seconds }) => accepted === clients && seconds < 1.15 * ideal,
    );
    if (even.length > 0) {
      const impatient = sameHaste(seen)
        ? ""
        : " The clients' timeouts were not shortened as much as the loop was made faster.";
      return {
        verdict: "depends",
        measured,
        why: `All clients were delivered, as evenly as the text says. But those outside did not wait in the kernel: they retransmitted their SYNs until one found room.${impatient}`,
        kernel,
      };
    }
    const gaveUp =
      without.accepted < without.clients
        ? ` Without SYN cookies most of them time out, or the kernel deletes their requests, before the loop reaches them.${fewerResends}`
        : "";
    const phantoms =
      withCookies.phantoms > 0
        ? " With SYN cookies the kernel answers more SYNs than the accept queue has room for, and the clients beyond become phantoms."
        : "";
    return {
      verdict: "false",
      measured,
      why: `The other clients do not wait in the kernel: it dropped their SYNs. They retransmit by their own timers, all at about the same moment.${gaveUp}${phantoms}`,
      kernel,
    };
  },
});

/**
 * Claim 52: what happens to 1,000 clients of a loop with one accept() per second. The experiment is onePerSecond(1000).
 * Source: tcp_write_timeout().
 * @throws ArgumentError judge(): the clients fit into the accept queue, or no client has timed out
 */
export const resetAfter75 = claim({
  number: 52,
  section: "Part 5",
  statement:
    "One accept() per second and 1,000 clients: after 75 s, TCP's default timeout, connections expire and get RST.",
  quote: "TCP timeout (default 75s)",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(thousand),
  judge(seen) {
    const { patience, usualPatience, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, reset, ...rest }: BurstOutcome) =>
      `${formatNumber(accepted)} of ${formatNumber(clients)} accepted, ${lost(rest)}, ${formatNumber(reset)} got an RST`;
    const measured = `${clocks(seen)}: ${run(without)}; ${run(withCookies)}`;
    const kernel = "tcp_write_timeout()";
    if (without.timedOut + without.reset + withCookies.timedOut + withCookies.reset === 0)
      throw new ArgumentError("No client has timed out.", "Let clients meet a full queue until they time out.");
    if (without.reset + withCookies.reset > 0 && Math.abs(usualPatience - 75) < 10)
      return { verdict: "holds", measured, why: "Clients got an RST after about 75 s.", kernel };
    const decides =
      without.gaveUp !== undefined && Math.abs(without.gaveUp - patience) < 0.25 * patience + 0.5
        ? " On Linux, tcp_syn_retries and tcp_syn_linear_timeouts decide."
        : "";
    const ends =
      without.timedOut > 0 && without.reset === 0
        ? " The client times out on its own. The server has stored nothing, so it sends no RST."
        : "";
    const phantoms =
      withCookies.timedOut === 0 && withCookies.phantoms > 0
        ? " With SYN cookies no client even times out: those that are not accepted are phantoms."
        : "";
    return {
      verdict: "false",
      measured,
      why: `75 s is the BSD value.${decides}${ends}${without.timedOut > 0 ? fewerResends : ""}${phantoms}`,
      kernel,
    };
  },
});
