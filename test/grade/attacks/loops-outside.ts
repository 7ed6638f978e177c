/**
 * Attack: the file loops while it is loaded, outside of the function
 * Wall: the time to load a file
 * Told: ^It was not ready after \d+ s: is there a loop outside of the function\?$
 */
while (true) {}
export async function queueArithmetic(task: any): Promise<any> {
  return { maximum: -1, waiting: -1 };
}
