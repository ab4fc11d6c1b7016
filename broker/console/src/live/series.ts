// series.ts - samples as the rows that a chart wants, with a gap where the page was not looking.
import type { Depth, Sample } from "./samples";

const GAP_MS = 45_000;
const none: Depth = [0, 0, 0, 0, 0];

export type Pick = (sample: Sample) => number | null;

/* Of one department, or of all together. */
export function depth(department: string | null, index: 0 | 1 | 2 | 3): Pick {
    if (department !== null) return (s) => (s.of[department] ?? none)[index];
    return (s) => Object.values(s.of).reduce((n, d) => n + d[index], 0);
}

/* Seconds since the oldest waiting inquiry was received; 0 when nothing waits. */
export function oldestAge(department: string): Pick {
    return (s) => {
        const at = s.of[department]?.[4] ?? 0;
        return at ? Math.max(0, s.at / 1000 - at) : 0;
    };
}

export function rows(samples: Sample[], picks: Pick[]): [number[], ...(number | null)[][]] {
    const at: number[] = [];
    const values: (number | null)[][] = picks.map(() => []);
    let before = 0;
    for (const sample of samples) {
        if (before && sample.at - before > GAP_MS) {
            at.push((before + 1_000) / 1000);
            for (const row of values) row.push(null);
        }
        at.push(sample.at / 1000);
        picks.forEach((pick, i) => values[i]?.push(pick(sample)));
        before = sample.at;
    }
    return [at, ...values];
}
