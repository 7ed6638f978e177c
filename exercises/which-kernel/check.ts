import { installedKernels, kernelTraits, onKernels, plot } from "one-listener";
import { asJson, defineCheck, shuffled, type CheckContext } from "one-listener/exercise";
import { measured, type Run } from "./measured";

type Integer = CheckContext["integer"];
type Measurement = keyof Run;

/** What the student's function gets, of which kernel, and what it returned. */
interface Question {
  kernel: string;
  version: string;
  shown: Partial<Run>;
  answer?: unknown;
}

/** Measurements that divide the kernels at the same place or beside it. Each question shows half of each group, the next question the other half. */
const groups: readonly (readonly Measurement[])[] = [
  ["synQueue", "zeroBacklog", "looks", "migrated"],
  ["retransmissions", "somaxconn"],
  ["capped", "wrongEcho"],
];
/** the only one that tells the two newest kernels apart */
const always: readonly Measurement[] = ["udpLite"];

/** ms for a kernel that boots; then another record takes its place */
const bootTime = 45_000;

function only(run: Partial<Run>, names: readonly Measurement[]): Partial<Run> {
  return Object.fromEntries(Object.entries(run).filter(([name]) => names.includes(name as Measurement)));
}

/** Two questions about each kernel: what the first one shows, the second one hides. */
function questions(integer: Integer): Question[] {
  return measured.flatMap(({ kernel, version, runs }) => {
    const halves = groups
      .map((group) => shuffled(group, integer))
      .map((group) => [group.slice(0, group.length / 2), group.slice(group.length / 2)]);
    const [first, second] = shuffled(runs, integer);
    return [first, second].map((run = runs[0], half) => ({
      kernel,
      version,
      shown: only(run ?? {}, [...always, ...halves.flatMap((parts) => parts[half] ?? [])]),
    }));
  });
}

/** A kernel of the museum, measured now; undefined where none is installed, or where it cannot run. */
async function live(integer: Integer): Promise<Question | undefined> {
  const known = installedKernels().flatMap(({ name, version }) =>
    measured.filter(({ kernel }) => version.startsWith(`${kernel}.`)).map(({ kernel }) => ({ name, kernel })),
  );
  const chosen = known[integer(0, Math.max(0, known.length - 1))];
  if (chosen === undefined) return undefined;
  const [result] = await onKernels([chosen.name], () => kernelTraits(), { progress: false, timeout: bootTime });
  return (
    result?.value && { kernel: chosen.kernel, version: `${result.version}, measured a moment ago`, shown: result.value }
  );
}

/** The same from the records, without what takes seconds to measure. */
function another(integer: Integer): Question {
  const kernels = measured.map(({ kernel, version, runs }) => ({ kernel, version, run: shuffled(runs, integer)[0] }));
  const { kernel = "", version = "", run = {} } = shuffled(kernels, integer)[0] ?? {};
  const quick = groups.flat().filter((name) => name !== "retransmissions" && name !== "capped");
  return { kernel, version, shown: only(run, [...always, ...quick]) };
}

export default defineCheck(({ before, it, that, ask, integer, picture }) => {
  const asked: Question[] = questions(integer);
  const isRight = ({ kernel, answer }: Question) => answer === kernel;

  before("ten sets of measurements, two of each kernel", async () => {
    // in random order, so that a function that counts its calls learns nothing
    for (const question of shuffled(asked, integer))
      question.answer = await ask(undefined, { measured: question.shown });
    picture(
      plot.bars(
        measured.map(({ kernel }) => `Linux ${kernel}`),
        [
          { name: "asked", values: measured.map(() => 2) },
          {
            name: "answered right",
            values: measured.map(({ kernel }) => asked.filter((each) => each.kernel === kernel).filter(isRight).length),
          },
        ],
        { yTitle: "sets of measurements" },
      ),
    );
  });

  const right = (question: Question) => {
    // a function that always names the same kernel has read nothing, even where the name is right
    that(new Set(asked.map(({ answer }) => answer)).size > 1, {
      did: "The check gave your function ten sets of measurements, of five kernels",
      expected: "different kernels",
      measured: `it returned ${asJson(question.answer, 100)} for each of them`,
    });
    that(isRight(question), {
      did: `The check gave your function what was measured on Linux ${question.version}: ${asJson(question.shown, 600)}`,
      expected: JSON.stringify(question.kernel),
      measured: `your function returned ${asJson(question.answer, 100)}`,
      read: "notebook 11, What made it",
    });
  };

  for (const [at, { kernel }] of measured.entries())
    it(`Linux ${kernel}`, at === 0 ? 2 : 1, () => {
      asked.filter((each) => each.kernel === kernel).forEach(right);
    });

  it("a kernel that is measured now", 1, async () => {
    that(asked.every(isRight), {
      did: "The check boots a kernel only for a function that knows the records",
      expected: "ten right answers",
      measured: `${asked.filter(isRight).length} of ${asked.length}`,
    });
    const question = (await live(integer)) ?? another(integer);
    question.answer = await ask(undefined, { measured: question.shown });
    right(question);
  });
});
