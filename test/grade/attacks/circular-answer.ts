/**
 * Attack: an answer that contains itself
 * Wall: an answer is JSON
 * Told: ^It threw: Converting circular structure to JSON\n    --> starting at object with constructor 'Object'\n    --- property 'it' closes the circle$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const it: any = {};
  it.it = it;
  return it;
  return { maximum: -1, waiting: -1 };
}
