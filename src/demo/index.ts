/** The demos, in the order of a lecture. */
import type { Demo } from "./demo";
import { descriptors } from "./descriptors";
import { floodDemo } from "./flood";
import { million } from "./million";
import { overflow } from "./overflow";
import { spike } from "./spike";

export const demos: readonly Demo[] = [overflow, spike, descriptors, floodDemo, million];
export type { Demo, Outcome } from "./demo";
