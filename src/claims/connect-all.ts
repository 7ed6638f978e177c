/** Ghosts that connect until all of them have a connection, however often the CPU runs other programs meanwhile. */
import type { Lab } from "../front-door";
import type { Listener } from "../listener/listener";
import { native } from "../native";
import { atRest } from "../waiting/until";
import type { Ghosts } from "../wire/ghosts";

/** How many connect, how fast, and how long at most. */
export interface ConnectAllOptions {
  /** connections wanted */
  count: number;
  /** ghosts per second in the first round; half as many in each further one */
  rate: number;
  /** the connections that there are so far */
  held: () => number;
  /** ms after which no further round begins; default 15,000 */
  timeout?: number;
}

/**
 * Connects ghosts, and as many again as have met a full queue: a ghost sends its SYN once, where a client would resend it.
 * @returns the groups of ghosts, one for each round; the Lab closes them
 * @throws as lab.ghosts()
 */
export async function connectAll(
  lab: Lab,
  listener: Listener,
  { count, rate, held, timeout = 15_000 }: ConnectAllOptions,
): Promise<Ghosts[]> {
  const rounds: Ghosts[] = [];
  const end = native.now() + timeout;
  for (let pace = rate; held() < count && native.now() < end; pace /= 2) {
    const ghosts = await lab.ghosts(listener, { count: count - held(), rate: pace });
    rounds.push(ghosts);
    await ghosts.finished();
    // what has come is accepted before the next round is reckoned
    await atRest(() => [held(), listener.acceptQueue, listener.synQueue], { quiet: 300 });
  }
  return rounds;
}
