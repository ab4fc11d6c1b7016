// steps.ts - from the broker's timeline to what a person follows: the steps, and what the time between two
// of them was spent on. "Queued" is a step of its own here: the broker does it with the acceptance.
import type { TimelineRow } from "../../api/shapes";
import { purposeTitle } from "../../live/catalogue";
import { text, word } from "../../text";

export type Phase = "inQueue" | "atAgent" | "waitingRetry" | "inParking" | "toRequester";

export interface Step {
    event: string;
    at: number; // ms, with the fraction that the text had
    seq: number | null;
    actor: string | null; // null: the broker
    code: string | null;
    text: string | null;
    after: { phase: Phase; ms: number; open: boolean } | null; // what follows it
}

const phases: Record<string, Phase> = {
    submitted: "inQueue",
    queued: "inQueue",
    requeued: "inQueue",
    redirected: "inQueue",
    leased: "atAgent",
    "attempt-failed": "waitingRetry",
    "given-back": "inQueue",
    parked: "inParking",
    answered: "toRequester",
    expired: "toRequester",
    cancelled: "toRequester",
};

/* Date.parse stops at the millisecond; microseconds tell two fast steps apart. */
export function exact(at: string): number {
    const micro = /\.\d{3}(\d{3})/.exec(at)?.[1];
    return Date.parse(at) + (micro ? Number(micro) / 1000 : 0);
}

export function steps(rows: TimelineRow[], now: number): Step[] {
    const all: Step[] = rows.flatMap((row) => {
        const step: Step = { ...row, at: exact(row.at), seq: row.seq || null, actor: row.actor || null, after: null };
        const queued: Step = { ...step, event: "queued", seq: null, actor: null, code: null, text: null };
        return row.event === "submitted" ? [step, queued] : [step];
    });
    all.forEach((step, i) => {
        const next = all[i + 1];
        const phase = phases[step.event];
        if (!phase || step.event === "submitted") return;
        if (next) step.after = { phase, ms: Math.max(0, next.at - step.at), open: false };
        else step.after = { phase, ms: Math.max(0, now - step.at), open: true };
    });
    return all;
}

/* Time spent by phase, in the order in which it was spent. */
export function spent(all: Step[]): { phase: Phase; ms: number; open: boolean }[] {
    return all.flatMap((step) => (step.after ? [step.after] : []));
}

/* What the log says in a word of its own is said in the reader's: an outcome, a purpose. */
export function stepText(event: string, said: string): string {
    if (event === "answered") return word(text().outcomes, said);
    return event === "submitted" ? purposeTitle(said) : said;
}
