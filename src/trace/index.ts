export { clientStateNames, TraceBuilder, type RecordingMeta } from "./builder";
export { Ladder, type KernelView, type LadderStep, type Place } from "./ladder";
export { formatNumber, formatTime } from "./quantity";
export { RecordingFile } from "./recording-file";
export { Recording, type RecordingListener, type RecordingOptions } from "./recording";
export { TraceSummary, type ColumnSummary } from "./summary";
export { textTable, type TextColumn } from "./text-table";
export { Trace, type Series, type TraceData, type TraceMeta } from "./trace";
export { rowAt, type Column, type Track, type TraceEvent } from "./track";
