/** What a demo draws: some meters with large figures, at most 24 lines of at most 100 columns, as a pure function of the numbers. */
import { gauge, sparkline } from "../terminal/meter";
import { cropped, wrap } from "../terminal/text";
import { formatCount } from "../wording/number";

/** One colour, one meaning, as in the notebooks' plots (src/plot/palette.ts), in the lighter shades that a dark terminal needs. */
const colours = { acceptQueue: 39, synQueue: 214, accepted: 42, drops: 203, cookies: 117, other: 250 } as const;

/** What a meter shows, by the colour of its figures and bar. */
export type Colour = keyof typeof colours;

/** A label, a number in large figures, a bar and a sparkline: three lines. */
export interface Meter {
  /** what is counted: "accept queue" */
  label: string;
  /** one or two lines below the label */
  note?: string;
  /** the number in large figures */
  value: number;
  /** the value that fills the bar */
  of: number;
  /** of the figures and the bar */
  colour: Colour;
}

/** Meters below each other, and a title. */
export interface Panel {
  /** the first line */
  title: string;
  /** from top to bottom, four at most */
  meters: Meter[];
}

/** The terminal, and what stands around the meters. */
export interface DrawOptions {
  /** characters */
  columns: number;
  /** lines */
  rows: number;
  /** ANSI colours */
  colour: boolean;
  /** the past values of each meter, by its label, newest last */
  history?: ReadonlyMap<string, readonly number[]>;
  /** one line of what happens now, or the paragraphs of the result */
  below?: readonly string[];
  /** at the right end of the title */
  corner?: string;
}

/** begins the line of what happens now */
export const now = "▶ ";

const mostColumns = 100;
const mostRows = 24;
const labelWidth = 21;

/** Three lines high. */
const figures: Record<string, [string, string, string]> = {
  "0": ["█▀█", "█ █", "▀▀▀"],
  "1": ["▀█ ", " █ ", "▀▀▀"],
  "2": ["▀▀█", "█▀▀", "▀▀▀"],
  "3": ["▀▀█", " ▀█", "▀▀▀"],
  "4": ["█ █", "▀▀█", "  ▀"],
  "5": ["█▀▀", "▀▀█", "▀▀▀"],
  "6": ["█▀▀", "█▀█", "▀▀▀"],
  "7": ["▀▀█", "  █", "  ▀"],
  "8": ["█▀█", "█▀█", "▀▀▀"],
  "9": ["█▀█", "▀▀█", "▀▀▀"],
  ",": ["", "", ""],
};

/** A whole number in figures of three lines, thousands set apart. */
export function largeFigures(value: number): [string, string, string] {
  const text = [...formatCount(value)];
  const line = (row: 0 | 1 | 2) => text.map((figure) => figures[figure]?.[row] ?? figure).join(" ");
  return [line(0), line(1), line(2)];
}

/** The lines of a panel: they fit into `columns` and `rows`, and are at most 23 of at most 100 characters, because the cursor needs the 24th. */
export function drawPanel(
  panel: Panel,
  { columns, rows, colour, history, below = [], corner = "" }: DrawOptions,
): string[] {
  const width = Math.max(40, Math.min(columns, mostColumns) - 1);
  const paint = (text: string, code: string) => (colour && text.trim() ? `\u001b[${code}m${text}\u001b[0m` : text);
  const figureWidth = Math.max(
    ...panel.meters.map(({ value, of }) => Math.max(largeFigures(value)[0].length, largeFigures(of)[0].length)),
  );
  const barWidth = Math.max(0, width - labelWidth - figureWidth - 2);

  const meter = ({ label, note = "", value, of, colour: meaning }: Meter): string[] => {
    const shade = `38;5;${colours[meaning]}`;
    const bar = gauge(of > 0 ? value / of : 0, barWidth);
    const lower = bar.replaceAll("█", "▀").replaceAll("░", " "); // half a line of space above the past
    const past = sparkline((history?.get(label) ?? []).slice(-barWidth), Math.max(1, of)).padEnd(barWidth);
    const [first, second] = wrap(note, labelWidth - 1);
    const left = [
      paint(label.padEnd(labelWidth), "1"),
      (first ?? "").padEnd(labelWidth),
      (second ?? "").padEnd(labelWidth),
    ];
    const right = [paint(bar, shade), paint(lower, shade), paint(past, `2;${shade}`)];
    return largeFigures(value).map(
      (figure, row) => `${left[row] ?? ""}${paint(figure.padStart(figureWidth), `1;${shade}`)}  ${right[row] ?? ""}`,
    );
  };

  const heading = panel.title.slice(0, width);
  const space = width - heading.length - corner.length;
  const lines = [
    `${paint(heading, "1")}${space > 2 ? " ".repeat(space) + paint(corner, "2") : ""}`,
    paint("━".repeat(width), "2"),
    ...panel.meters.flatMap((each) => [...meter(each), ""]),
    ...below.flatMap((text) => wrap(text, width).map((line) => (text.startsWith("Decided") ? line : paint(line, "1")))),
  ];
  return fitted(lines, Math.max(1, Math.min(rows, mostRows) - 1)).map((text) => cropped(text, width));
}

/** Empty lines go first, then the last ones. */
function fitted(lines: string[], most: number): string[] {
  const kept = [...lines];
  for (let at = kept.length - 1; kept.length > most && at >= 0; at--) if (kept[at] === "") kept.splice(at, 1);
  return kept.slice(0, most);
}
