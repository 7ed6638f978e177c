import { inspect } from "node:util";
import { ArgumentError } from "../errors";
import { formatNumber } from "../trace";
import { card, css } from "./card";
import { show } from "./display";
import { escapeHtml } from "./html";

/** A number that the reader has committed to; figures draw it in. */
export interface Prediction {
  readonly question: string;
  readonly value: number;
}

/**
 * Commits the reader to a number before the experiment, and shows it. Give the result to a figure, which draws it in as a dashed line.
 * @throws ArgumentError the value is no finite number
 */
export function predict(question: string, value: number): Prediction {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new ArgumentError(`A prediction is a number, not ${String(value)}.`, "Write one: being wrong is half of the fun.");
  const number = formatNumber(value);
  show({
    html: card(css.faint, "dashed", `${escapeHtml(question)}<br>Your prediction: <b style="font-size:1.3em">${number}</b>`),
    text: `${question}\nYour prediction: ${number}`,
  });
  return Object.defineProperty({ question, value }, inspect.custom, { value: () => `prediction: ${number}` });
}
