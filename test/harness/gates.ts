/** Stops whoever reaches a point, until it is let go. */
export interface Gate {
  /** For ActivityDependencies. */
  readonly reached: (point: string) => Promise<void>;
  /** Resolves once somebody stands there. */
  readonly arrived: Promise<void>;
  release(): void;
}

export function pauseAt(at: string): Gate {
  const [released, release] = signal();
  const [arrived, arrive] = signal();
  return {
    async reached(point) {
      if (point !== at) return;
      arrive();
      await released;
    },
    arrived,
    release,
  };
}

function signal(): [Promise<void>, () => void] {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return [given, give];
}
