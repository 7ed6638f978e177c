/** The museum's public names. */
export {
  here,
  installedKernels,
  onKernels,
  type KernelContext,
  type KernelResult,
  type OnKernelsOptions,
} from "./on-kernels";
