/** Claims 22 and 52: one accept a second, before clients whose patience ends. */
import { ArgumentError } from "../errors";
import { countOf, formatNumber } from "../wording/number";
import { burst, BurstOutcome, lost, outcomeFields } from "./burst";
import { claim } from "./claim";
import { Haste, hasten } from "./client-timeouts";
import { amount, group } from "./evidence";
import { clientsWithin, inLab } from "./experiment";

const backlog = 128;

/**
 * The text's loop of one accept a second, with both clocks turned up alike: as many accepts a second as the clients' time to give up is shorter
 * than by default. Without SYN cookies and with them.
 */
async function oneASecond(wanted: number) {
  // both runs have their clients at the same time
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

const fiveHundred = () => oneASecond(500);
const thousand = () => oneASecond(1000);

const bothClocks = {
  scale: amount("how many times as fast as in the text accept() was called"),
  patience: amount("seconds after which a client gave up"),
  usualPatience: amount("seconds after which it gives up by default"),
  without: group("without SYN cookies", outcomeFields),
  withCookies: group("with SYN cookies", outcomeFields),
};

type BothClocks = Haste & { scale: number; without: BurstOutcome; withCookies: BurstOutcome };

function requireOverflow({ clients, backlog }: { clients: number; backlog: number }): void {
  if (clients <= backlog + 1)
    throw new ArgumentError(
      `${countOf(clients, "client")} cannot overflow a backlog of ${backlog}.`,
      "Let more come than the backlog.",
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
  return `at ${scale} accepts a second and clients that give up after ${patience.toFixed(0)} s (${usualPatience.toFixed(0)} s by default)`;
}

/** Whether the clients' clock was turned up as far as the loop's. */
function sameHaste({ scale, patience, usualPatience }: BothClocks): boolean {
  return Math.abs(usualPatience / patience / scale - 1) < 0.1;
}

/** What the faster clock cannot show. */
const fewerResends =
  " (Sysctls change how many resends there are, not when they come: at the text's own pace the clients resend more often, and how many give up and how many are phantoms may differ.)";

export const evenDelivery = claim({
  number: 22,
  section: "Part 2",
  statement:
    "500 clients and one accept() a second: 128 queue, 372 wait in the kernel and are delivered one a second, in 372 s.",
  quote: "continues for 372 seconds to drain all connections",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(fiveHundred),
  judge(seen) {
    const { scale, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, seconds, resends, ...rest }: BurstOutcome) =>
      `${accepted} of ${clients} were in after ${seconds.toFixed(1)} s, ${formatNumber(resends)} SYNs sent again, ${lost(rest)}`;
    const ideal = without.clients / scale;
    const measured = `${without.acceptQueue} queued, ${without.outside} in no queue; ${clocks(seen)} ${run(without)}; ${run(withCookies)}; evenly all would be in after ${ideal.toFixed(1)} s`;
    const kernel = "tcp_conn_request()";
    if (without.outside === 0 && withCookies.outside === 0)
      return { verdict: "holds", measured, why: "All of them waited in the kernel.", kernel };
    const even = [without, withCookies].filter(
      ({ accepted, clients, seconds }) => accepted === clients && seconds < 1.15 * ideal,
    );
    if (even.length > 0) {
      const impatient = sameHaste(seen) ? "" : " Clients as impatient as the loop is fast were not tried.";
      return {
        verdict: "depends",
        measured,
        why: `All were delivered, as evenly as the text says. But the rest did not wait in the kernel: they came back by their own timers, often enough this time.${impatient}`,
        kernel,
      };
    }
    const gaveUp =
      without.accepted < without.clients
        ? ` Without SYN cookies most of those give up, or their requests are given up in the SYN queue, before the line reaches them.${fewerResends}`
        : "";
    const phantoms =
      withCookies.phantoms > 0
        ? " With SYN cookies more of them are answered than the accept queue has room for, and the surplus is connected in its own opinion only."
        : "";
    return {
      verdict: "false",
      measured,
      why: `The rest wait nowhere: their SYNs were dropped, and they come back by their own timers, all in the same moment.${gaveUp}${phantoms}`,
      kernel,
    };
  },
});

export const resetAfter75 = claim({
  number: 52,
  section: "Part 5",
  statement:
    "One accept() a second and 1,000 clients: after 75 s, TCP's default timeout, connections expire and get RST.",
  quote: "TCP timeout (default 75s)",
  notebook: "05",
  evidence: bothClocks,
  experiment: (once) => once(thousand),
  judge(seen) {
    const { patience, usualPatience, without, withCookies } = seen;
    requireOverflow(without);
    requireOverflow(withCookies);
    const run = ({ clients, accepted, reset, ...rest }: BurstOutcome) =>
      `${formatNumber(accepted)} of ${formatNumber(clients)} accepted, ${lost(rest)}, ${formatNumber(reset)} ended by RST`;
    const measured = `${clocks(seen)}: ${run(without)}; ${run(withCookies)}`;
    const kernel = "tcp_write_timeout()";
    if (without.timedOut + without.reset + withCookies.timedOut + withCookies.reset === 0)
      throw new ArgumentError("Nobody has timed out.", "Let clients meet a full queue until they give up.");
    if (without.reset + withCookies.reset > 0 && Math.abs(usualPatience - 75) < 10)
      return { verdict: "holds", measured, why: "As the text says.", kernel };
    const decides =
      without.gaveUp !== undefined && Math.abs(without.gaveUp - patience) < 0.25 * patience + 0.5
        ? " tcp_syn_retries and tcp_syn_linear_timeouts decide."
        : "";
    const ends =
      without.timedOut > 0 && without.reset === 0
        ? " The client ends it alone, and the server, which has kept nothing, sends no RST."
        : "";
    const phantoms =
      withCookies.timedOut === 0 && withCookies.phantoms > 0
        ? " With SYN cookies nobody even times out: who is not accepted is connected in its own opinion."
        : "";
    return {
      verdict: "false",
      measured,
      why: `75 s is another system's number.${decides}${ends}${without.timedOut > 0 ? fewerResends : ""}${phantoms}`,
      kernel,
    };
  },
});
