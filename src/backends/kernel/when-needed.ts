import { isOutOfDescriptors } from '../../sys/errno.ts';

/**
 * What only large answers need, got at the first of them. Without a free
 * descriptor it cannot be: undefined then, and small steps lead there too.
 */
export function whenNeeded<T>(get: () => T): () => T | undefined {
  let value: T | undefined;
  return () => {
    if (value !== undefined) return value;
    try {
      value = get();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
    return value;
  };
}
