/**
 * All claims, by number.
 */
import { ArgumentError, KernelError, LabError } from "../errors";
import { acceptWakes, dataWaits, readyToUse } from "./accepted-connection";
import { boundOfTheQueue, capacity, firstOnes } from "./accept-queue-capacity";
import { acceptOrder } from "./accept-order";
import { type Claim, UndecidedError, type Verdict } from "./claim";
import { filteredBefore, rateLimited } from "./before-the-handshake";
import { fullQueueTimesOut } from "./client-timeouts";
import { buffersWhileIdle, memoryEach } from "./connection-memory";
import { retryOnAnyError } from "./descriptor-spin";
import { completedPart, notDropped } from "./completed-part";
import { noDataOnListener, ownDescriptors } from "./descriptors";
import { type Evidence, type Fields, pick, readEvidence } from "./evidence";
import { type Once, once } from "./experiment";
import { floodsCostNothing, neverQueued } from "./flood-memory";
import { identity, unmixed } from "./four-tuple";
import { handshakeDuration, withoutTheApplication } from "./handshake-application";
import { buffersAtAck } from "./handshake-memory";
import {
  descriptorAtAck,
  entryAtSyn,
  entryContents,
  movesToAcceptQueue,
  synAckNumbers,
  unseenSegments,
} from "./handshake-steps";
import { everyConnection, movesOver } from "./late-arrivals";
import { countingTools, noBottleneck, semaphorePractice } from "./listener-bottleneck";
import { constantLookup } from "./lookup-cost";
import { typicalLimits, usualSomaxconn } from "./machine-limits";
import { evenDelivery, resetAfter75 } from "./one-per-second";
import { isBusy, othersWords, watchProcessors } from "./processor-share";
import { notRefused, reasons } from "./refusal";
import { timedOutGetReset } from "./reset-before-accept";
import { backlogAndTotals, defaultDescriptors, noSwitches, tenThousand } from "./scale-limits";
import { fastLoop, handOffSolves } from "./slow-handler";
import { backlogSolves, spikeDrained, spikeWaits } from "./spike";
import { ssColumns } from "./ss-columns";
import { whatCookiesHold } from "./syn-cookies";
import { cookiesServe, cookiesSetting, floodWithoutCookies } from "./syn-flood";
import { maxSynBacklogBinds, synQueueSize } from "./syn-queue-bound";
import { allSynsEnter, totalCapacity } from "./syn-queue-size";
import { thousandsOfConnections } from "./thousands";
import { twoQueues } from "./two-queues";

const all = [
  thousandsOfConnections,
  ownDescriptors,
  noDataOnListener,
  twoQueues,
  capacity,
  acceptOrder,
  identity,
  constantLookup,
  unmixed,
  boundOfTheQueue,
  allSynsEnter,
  firstOnes,
  completedPart,
  movesOver,
  notRefused,
  notDropped,
  everyConnection,
  reasons,
  typicalLimits,
  timedOutGetReset,
  totalCapacity,
  usualSomaxconn,
  ssColumns,
  synQueueSize,
  unseenSegments,
  entryAtSyn,
  synAckNumbers,
  entryContents,
  descriptorAtAck,
  buffersAtAck,
  movesToAcceptQueue,
  acceptWakes,
  handshakeDuration,
  dataWaits,
  readyToUse,
  withoutTheApplication,
  floodsCostNothing,
  rateLimited,
  filteredBefore,
  maxSynBacklogBinds,
  floodWithoutCookies,
  whatCookiesHold,
  neverQueued,
  cookiesServe,
  cookiesSetting,
  buffersWhileIdle,
  evenDelivery,
  noSwitches,
  fastLoop,
  fullQueueTimesOut,
  backlogAndTotals,
  memoryEach,
  defaultDescriptors,
  spikeWaits,
  spikeDrained,
  backlogSolves,
  resetAfter75,
  handOffSolves,
  noBottleneck,
  semaphorePractice,
  countingTools,
  tenThousand,
  retryOnAnyError,
] as const;

type Registered = (typeof all)[number];
/** The number of a claim that can be decided. */
export type ClaimNumber = Registered["number"];

/** What decide(number) takes as evidence. */
export type EvidenceOf<N extends ClaimNumber> =
  Extract<Registered, { number: N }> extends Claim<N, infer F> ? Evidence<F> : never;

/** A claim and its verdict on this kernel. */
export interface Decision extends Verdict {
  /** of the claim */
  number: number;
  /** part of the source text */
  section: string;
  /** the claim in our words */
  statement: string;
  /** a few words of the text itself */
  quote?: string;
  /** number of the notebook where the claim is decided: "04" */
  notebook: string;
  /** what was measured, as the judge got it */
  evidence: object;
}

/** All claims that can be decided, in the order of their numbers. */
export const claims: readonly Claim<ClaimNumber, Fields>[] = [
  // Each judge takes the evidence of its own fields only; judge() below gives it what readEvidence() has checked against them.
  ...(all as readonly unknown[] as readonly Claim<ClaimNumber, Fields>[]),
].sort((a, b) => a.number - b.number);

/** The claim with this number. @throws ArgumentError there is none: it lists the numbers */
export function claimOf(number: number): Claim<ClaimNumber, Fields> {
  const found = claims.find((each) => each.number === number);
  if (!found)
    throw new ArgumentError(
      `There is no claim ${String(number)} to decide.`,
      `There are: ${claims.map((each) => each.number).join(", ")}.`,
    );
  return found;
}

/** Judges evidence that was measured elsewhere. Pure. @throws ArgumentError the number is unknown, or the evidence cannot decide */
export function judge<N extends ClaimNumber>(number: N, evidence: EvidenceOf<N>): Decision {
  const claim = claimOf(number);
  const read = readEvidence(evidence, claim.evidence, `The evidence for claim ${number}`);
  return decision(claim, read, verdictOf(claim, read));
}

/**
 * Measures a claim on this kernel, and judges it.
 * @param memory shared between claims, so that an experiment that several of them need runs once
 * @throws ArgumentError the number is unknown, or what was measured cannot decide
 * @throws LabError the experiment failed
 */
export async function measure(number: ClaimNumber, memory: Once = once()): Promise<Decision> {
  const claim = claimOf(number);
  const others = watchProcessors();
  try {
    const evidence = pick(await claim.experiment(memory), claim.evidence);
    return decision(claim, evidence, verdictOf(claim, evidence));
  } catch (error) {
    return decision(claim, {}, undecided(hinderedBy(others(), error)));
  }
}

/** An experiment of ours that comes to nothing has done so because of the machine, where that is busy. Other errors stay as they are. */
function hinderedBy(others: number | undefined, error: unknown): unknown {
  const nothing = error instanceof ArgumentError || (error instanceof LabError && error.code === "ETIMEDOUT");
  if (!nothing || !isBusy(others)) return error;
  return new UndecidedError(
    `nothing: ${othersWords(others)}`,
    `The machine is busy, and the experiment has not come about. ${error.message}`,
    "schedule()",
  );
}

function verdictOf(claim: Claim<ClaimNumber, Fields>, evidence: Evidence<Fields>): Verdict {
  try {
    return claim.judge(evidence);
  } catch (error) {
    return undecided(error);
  }
}

/** @throws the error, if it says nothing about the machine or the kernel */
function undecided(error: unknown): Verdict {
  if (error instanceof UndecidedError)
    return { verdict: "undecided", measured: error.measured, why: error.why, kernel: error.kernel };
  if (error instanceof KernelError)
    return {
      verdict: "undecided",
      measured: "nothing, because this kernel has not what the experiment needs",
      why: `${error.message} ${error.hint ?? ""}`.trim(),
      kernel: error.kernel,
    };
  if (error instanceof LabError && error.code === "ENOENT")
    return {
      verdict: "undecided",
      measured: "nothing, because a program or a file that the experiment needs is not on this machine",
      why: `${error.message} ${error.hint ?? ""}`.trim(),
      kernel: "path_openat()",
    };
  throw error;
}

function decision(claim: Claim<ClaimNumber, Fields>, evidence: object, verdict: Verdict): Decision {
  const { number, section, statement, quote, notebook } = claim;
  return {
    number,
    section,
    statement,
    ...(quote !== undefined && { quote }),
    notebook,
    ...verdict,
    evidence,
  };
}
