/** The museum's public names. */
export {
  installedKernels,
  onKernels,
  type KernelContext,
  type KernelResult,
  type OnKernelsOptions,
} from "./on-kernels";
export { kernelTraits, synRetransmissions, type KernelTraits } from "./traits";
