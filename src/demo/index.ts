/** The demos, in the order in which a lecture shows them. */
import { ArgumentError } from "../errors";
import type { Demo } from "./demo";
import { descriptors } from "./descriptors";
import { flood } from "./flood";
import { manyConnections } from "./million";
import { overflow } from "./overflow";
import { spike } from "./spike";

export const demos: readonly Demo[] = [overflow, flood, spike, descriptors, manyConnections];

/** what `demo all` leaves out: it takes gigabytes */
const apart: readonly Demo[] = [manyConnections];

/** The demo of that name, or for "all" every one but the million. @throws ArgumentError that names those there are */
export function demosOf(name: string): readonly Demo[] {
  if (name === "all") return demos.filter((demo) => !apart.includes(demo));
  const found = demos.find((demo) => demo.name === name);
  if (!found)
    throw new ArgumentError(
      `There is no demo "${name}".`,
      `There are: ${demos.map((demo) => demo.name).join(", ")}; and all, which is every one but ${apart.map((demo) => demo.name).join()}.`,
    );
  return [found];
}
