import { type ClientStateName, clientStateNames } from "../listener/client-options";
import type { Listener } from "../listener/listener";
import { ClientState } from "../native";

/** How many clients of a listener are in each state, while they connect, too: { synSent: 71, established: 129, … }. */
export function clientStates(listener: Listener): Record<ClientStateName, number> {
  const counts = [...listener.bursts].flatMap(({ natives }) => natives.map((each) => each.counts()));
  return Object.fromEntries(
    clientStateNames.map((name) => [name, counts.reduce((sum, each) => sum + (each[ClientState[name]] ?? 0), 0)]),
  ) as Record<ClientStateName, number>;
}
