/**
 * Attack: an answer whose toJSON() throws
 * Wall: an answer is made in the student's process
 * Told: ^It threw: no \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  return {
    toJSON() {
      throw new Error("no");
    },
  };
  return { maximum: -1, waiting: -1 };
}
