// The way through the notebooks: each one's closing cell, and its line in README's tour.

const invitation = "**Change this and run again:**";
const linksOf = (text) => [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);

/** What is wrong with a closing cell; undefined: nothing. `next`: the notebook that the reader opens after this one. */
function closingFault(last, next) {
  if (!last || last.code || !last.source.startsWith(invitation))
    return `the last cell is not Markdown that begins with "${invitation}"`;
  const following = last.source.split("\n").find((line) => line.startsWith("Next: "));
  if (next === undefined) return following && 'the last notebook has a line "Next: …"';
  if (!following || !linksOf(following).includes(next))
    return `the last cell has no line "Next: …" with a link to ${next}`;
  return undefined;
}

/**
 * Findings about the way through the notebooks.
 * @param notebooks as readNotebooks() gives them, in the order in which they are read
 * @param readme the text of README.md, whose tour links each notebook once, in the same order
 */
export function tourFindings(notebooks, readme) {
  const findings = [];
  notebooks.forEach(({ name, last }, at) => {
    const fault = closingFault(last, notebooks[at + 1]?.name);
    if (fault) findings.push(`notebooks/${name} cell ${last?.index ?? 0}: ${fault}`);
  });
  const [, tour = ""] = /^## The tour\n([^]*?)(?:^## |$(?![^]))/m.exec(readme) ?? [];
  const rows = tour.split("\n").filter((line) => line.startsWith("| ["));
  const linked = rows.flatMap((row) => linksOf(row).slice(0, 1));
  const wanted = notebooks.map(({ name }) => `notebooks/${name}`);
  for (const file of wanted.filter((each) => !linked.includes(each)))
    findings.push(`${file}: the tour in README.md has no line for it`);
  if (findings.length === 0 && linked.join("\n") !== wanted.join("\n"))
    findings.push(`notebooks/: the tour in README.md is not in the order of the notebooks, or has a line too many`);
  return findings;
}
