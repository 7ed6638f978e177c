/**
 * Attack: an answer whose properties throw
 * Wall: an answer is made in the student's process
 * Told: ^It threw: trap \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  return new Proxy(
    {},
    {
      get: () => {
        throw new Error("trap");
      },
    },
  );
  return { maximum: -1, waiting: -1 };
}
