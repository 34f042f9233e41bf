// What is shown while somebody has the pointer or the focus in a list: nothing comes between that would move it.

export interface Steady<T> {
  shown: T[];
  /** So many wait until the reader looks elsewhere. */
  waiting: number;
}

/** The wanted order; while it is held, those that were shown stay in their places, and new ones wait. */
export function steady<T extends { id: string }>(wanted: T[], before: string[], held: boolean): Steady<T> {
  if (!held || before.length === 0) return { shown: wanted, waiting: 0 };
  const by = new Map(wanted.map((one) => [one.id, one]));
  const shown = before.flatMap((id) => by.get(id) ?? []);
  return { shown, waiting: wanted.length - shown.length };
}
