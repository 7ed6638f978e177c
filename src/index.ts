/**
 * One Listener: the front door. `import { Lab, plot } from "one-listener"`. What stands here is what readers use, by name.
 * The system calls themselves are in "one-listener/native".
 */
export { Lab, type LabConnectOptions, type LabOptions, type LabRecordOptions } from "./front-door";
export {
  ArgumentError,
  ClosedError,
  ForbiddenError,
  KernelError,
  InterruptedError,
  LabError,
  LimitError,
  messageWithHint,
  type ErrorDetails,
} from "./errors";
export { Counters, CounterDifference } from "./lab/counters";
export {
  refusalLine,
  Sysctls,
  type KnownSysctls,
  type SysctlAccess,
  type SysctlRefusal,
  type SysctlValues,
} from "./lab/sysctls";
export { Program, type Exit, type Limits, type ProgramOutput, type SpawnOptions } from "./lab/program";
export { machineLine } from "./lab/machine-line";
export { kernelMemory, type KernelMemory } from "./lab/memory";
export { owned } from "./lab/owned";
export { AcceptLoop, type AcceptLoopOptions, type AcceptLoopStats } from "./listener/accept-loop";
export * as arrivals from "./listener/arrivals";
export { Clients } from "./listener/clients";
export type { ClientStateName, ClientView, ConnectOptions } from "./listener/client-options";
export { Connection, type ReadOptions } from "./listener/connection";
export { Listener } from "./listener/listener";
export { type Burst, type ListenerEvents } from "./listener/listener-events";
export { type ListenOptions } from "./listener/listening";
export { type SynRequest } from "./listener/syn-queue";
export * as servers from "./server/accept-loops";
export { type Handler, type Server } from "./server/accept-loops";
export { AcceptWorkers, planHolding, type HoldingPlan } from "./server/accept-workers";
export { type ChecklistOptions, type CheckRow } from "./server/checklist";
export { epollServer, type EmfilePolicy, type EpollServerReport } from "./server/epoll-server";
export { InstalledServer, serverNames, type ServerName } from "./server/installed";
export { type SocketRow, type TableOptions, type TcpState } from "./listener/sockets-table";
export { anatomy, type Part } from "./wire/anatomy";
export { Ghosts, type GhostCounts } from "./wire/ghosts";
export type { GhostOptions } from "./wire/ghost-options";
export { WireLog, type LogLineOptions, type WireEntry } from "./wire/log";
export { Mirror, type MirrorSettings } from "./wire/mirror";
export { flagLetters, flagWords, notation, type Direction, type NotationOptions } from "./wire/notation";
export { type SackBlock, type TcpOption } from "./wire/options";
export { Peer, type WireEnd } from "./wire/peer";
export type { PeerOptions, SegmentChanges, SynOptions } from "./wire/peer-options";
export {
  decode,
  encode,
  optionOf,
  segment,
  sequenceLength,
  type DecodeOptions,
  type Flag,
  type Flags,
  type IpFields,
  type Segment,
  type SegmentFields,
} from "./wire/segment";
export { SegmentError } from "./wire/segment-error";
export { Wire, type WireEvents } from "./wire/wire";
export { check, hint, showProgress, type SolutionFunction } from "./exercise/notebook";
export {
  clientStateNames,
  Recording,
  RecordingFile,
  rowAt,
  Trace,
  TraceBuilder,
  TraceSummary,
  type Column,
  type ColumnSummary,
  type RecordingListener,
  type RecordingMeta,
  type RecordingOptions,
  type Series,
  type TraceData,
  type TraceEvent,
  type TraceMeta,
  type Track,
} from "./trace";
export { Ladder, type KernelView, type LadderStep, type Place } from "./ladder/ladder";
export { formatNumber, formatTime } from "./wording/number";
export { textTable, type TextColumn } from "./wording/text-table";
export * as plot from "./plot";
export {
  bound,
  decide,
  floodCost,
  underFlood,
  type ClaimNumber,
  type Decision,
  type EvidenceOf,
  type FloodCost,
  type FloodOutcome,
  type FloodSettings,
  type SynQueueBound,
  type UnderFlood,
  type Verdict,
} from "./claims";
export {
  installedKernels,
  kernelTraits,
  onKernels,
  synRetransmissions,
  type KernelContext,
  type KernelResult,
  type KernelTraits,
  type OnKernelsOptions,
} from "./museum";
export { doctor, type Finding, type Report } from "./lab/doctor";
export { setTimeout as sleep } from "node:timers/promises";

// Types that the names above mention, so that readers and `npm run docs` can name them.
export type { Closable } from "./lab/owned";
export type { SysctlName } from "./lab/sysctls";
export type { Carrier, ClientCounts, SettledOptions, Target, UntilOptions } from "./listener/client-options";
export type { AcceptAllOptions, AcceptOptions } from "./listener/accept-options";
export type { TraceBuilderOptions } from "./trace/builder";
export type { TraceView } from "./trace/data";
export type { FromRowsOptions } from "./trace/trace";
export type { FinishedOptions } from "./wire/ghosts";
export type { GhostKind } from "./wire/ghost-options";
export type { HandshakeOptions, ReceiveOptions } from "./wire/peer-options";
