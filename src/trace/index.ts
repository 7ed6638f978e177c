export { clientStateNames, TraceBuilder, type RecordingMeta } from "./builder";
export { RecordingFile } from "./recording-file";
export { Recording, type RecordingListener, type RecordingOptions } from "./recording";
export { TraceSummary, type ColumnSummary } from "./summary";
export type { Series, TraceData, TraceMeta } from "./data";
export { Trace } from "./trace";
export { rowAt, type Column, type Track, type TraceEvent } from "./track";
