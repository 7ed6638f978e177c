/** A process of the grader that reads submissions. The process that starts it bounds its time and its memory (reading.ts). */
import { readSubmission } from "./read-submission";
import type { Place } from "./submission";

process.on("message", ({ student, places }: Place) => {
  const parts = places.map((place) => readSubmission(student, place));
  process.send?.({
    student,
    solutions: new Map(parts.flatMap(({ solutions }) => [...solutions])),
    notes: parts.flatMap(({ notes }) => notes),
  });
});
process.on("disconnect", () => process.exit());
