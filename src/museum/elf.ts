/**
 * Changes which dynamic linker an x86-64 program asks for, in place. A kernel that was built for a newer C library than the machine's
 * gets the linker that was fetched with it, by a path *relative* to the folder in which it is started: so the folder can be moved.
 * Source: elf(5), PT_INTERP; load_elf_binary() opens the path as it stands.
 */
import { LabError } from "../errors";

const programHeaderInterp = 3;
const header = { class: 4, machine: 18, programHeaders: 32, entrySize: 54, entries: 56 };
const entry = { type: 0, offset: 8, fileSize: 32 };

/** Whether these are the bytes of a program for x86-64. */
export function isProgramForX64(program: Buffer): boolean {
  return (
    program.length > 64 &&
    program.readUInt32BE(0) === 0x7f454c46 &&
    program[header.class] === 2 &&
    program.readUInt16LE(header.machine) === 62
  );
}

/** Where the linker's path stands: offset and size, bytes, with the zero byte at its end; undefined: the program needs no linker. */
function interpreterPlace(program: Buffer): { offset: number; size: number } | undefined {
  const first = Number(program.readBigUInt64LE(header.programHeaders));
  const size = program.readUInt16LE(header.entrySize);
  for (let index = 0; index < program.readUInt16LE(header.entries); index++) {
    const at = first + index * size;
    if (program.readUInt32LE(at + entry.type) !== programHeaderInterp) continue;
    return {
      offset: Number(program.readBigUInt64LE(at + entry.offset)),
      size: Number(program.readBigUInt64LE(at + entry.fileSize)),
    };
  }
  return undefined;
}

/** The linker that the program asks for; undefined: none. */
export function interpreterOf(program: Buffer): string | undefined {
  const place = interpreterPlace(program);
  return place && program.toString("latin1", place.offset, place.offset + place.size).replace(/\0+$/, "");
}

/** Writes another path over the linker's. @throws LabError ERR_GUEST: it is longer than what stands there, or nothing stands there */
export function setInterpreter(program: Buffer, path: string): void {
  const place = interpreterPlace(program);
  if (place === undefined || path.length + 1 > place.size)
    throw new LabError(`The kernel's program has no room for the path of another dynamic linker.`, {
      code: "ERR_GUEST",
    });
  program.fill(0, place.offset, place.offset + place.size);
  program.write(path, place.offset, "latin1");
}
