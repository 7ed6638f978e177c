/** The demos, in the order in which a lecture shows them. */
import { ArgumentError } from "../errors";
import type { Demo } from "./demo";
import { descriptors } from "./descriptors";
import { flood } from "./flood";
import { manyConnections } from "./million";
import { overflow } from "./overflow";
import { spike } from "./spike";

/** All demos. */
export const demos: readonly Demo[] = [overflow, flood, spike, descriptors, manyConnections];

/** what `demo all` leaves out, because it takes gigabytes */
const apart: readonly Demo[] = [manyConnections];

/** The demo of that name; for "all" every demo except `million`. @throws ArgumentError no such demo: it names the demos */
export function demosOf(name: string): readonly Demo[] {
  if (name === "all") return demos.filter((demo) => !apart.includes(demo));
  const found = demos.find((demo) => demo.name === name);
  if (!found)
    throw new ArgumentError(
      `There is no demo "${name}".`,
      `The demos are: ${demos.map((demo) => demo.name).join(", ")}; and all, which is every demo except ${apart.map((demo) => demo.name).join()}.`,
    );
  return [found];
}
