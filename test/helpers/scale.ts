/** How much of everything: FDMAP_TEST_SCALE and FDMAP_TEST_TIMEOUT_SCALE, both 1 by default. */

const factor = (name: string) => {
  const value = Number(process.env[name] || 1);
  if (!(value > 0)) throw new Error(`${name} must be a positive number`);
  return value;
};

/** `count` of something, fewer on slow machines, never below `least`. */
export const scaled = (count: number, least = 1): number =>
  Math.max(Math.round(count * factor('FDMAP_TEST_SCALE')), least);

/** Milliseconds to wait before giving up; never a speed that a test asks for. */
export const patience = (milliseconds: number): number => milliseconds * factor('FDMAP_TEST_TIMEOUT_SCALE');

/** Waits until `condition` gives something other than undefined or false. */
export async function until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience(20_000);
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
