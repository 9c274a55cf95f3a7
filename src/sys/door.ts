/**
 * The one way from this package into the kernel by number. Everything above takes
 * a `Door` as an argument, so that tests can stand a fake one there and look at
 * each call's arguments without any privilege.
 */
export interface Door {
  /**
   * syscall(2). Addresses are plain numbers: user space ends below 2^53.
   *
   * @returns the kernel's result; a failure is the negative errno, as in the kernel itself
   */
  syscall(number: number, a?: number, b?: number, c?: number, d?: number, e?: number, f?: number): number;

  /** bpf(2) with fewer arguments to convert: it is called once a question. */
  bpf(command: number, attr: number, size: number): number;

  /** Where an ArrayBuffer's bytes are. They stay there while the buffer is reachable. */
  address(buffer: ArrayBuffer): number;
}
