// samples.ts - the last hour as this browser has seen it: one sample of every queue each few seconds, kept
// over reloads and new tabs until somebody logs out, thrown away after an hour. Charts read it. Counts only.
import type { QueueRow } from "../api/shapes";
import { cityNow } from "./clock";
import { store } from "../store";

const KEY = "estelam.samples";
const EVERY = 5_000;
const HOUR = 3_600_000;
const SAVE_EVERY = 15_000;

/* waiting, delayed, leased, parked, and when the oldest was received (seconds, 0: none) */
export type Depth = [number, number, number, number, number];
export interface Sample {
    at: number; // ms
    of: Record<string, Depth>; // by department
}

function kept(): Sample[] {
    try {
        const all = JSON.parse(localStorage.getItem(KEY) ?? "[]") as Sample[];
        return all.filter((s) => s.at > 0); // which of them are too old is told when the time is known
    } catch {
        return [];
    }
}

export const samples = store<Sample[]>(kept());
let savedAt = 0;

function depths(rows: QueueRow[]): Record<string, Depth> {
    const of: Record<string, Depth> = {};
    for (const row of rows) {
        const sum = (of[row.department] ??= [0, 0, 0, 0, 0]);
        sum[0] += row.waiting;
        sum[1] += row.delayed;
        sum[2] += row.leased;
        sum[3] += row.parked;
        const oldest = row.oldest_at ? Math.floor(Date.parse(row.oldest_at) / 1000) : 0;
        if (oldest && (!sum[4] || oldest < sum[4])) sum[4] = oldest;
    }
    return of;
}

export function take(rows: QueueRow[]): void {
    const now = cityNow();
    const before = samples.get().filter((s) => s.at > now - HOUR && s.at < now + EVERY);
    const last = before[before.length - 1];
    if (last && now - last.at < EVERY * 0.9) return;
    samples.set([...before, { at: now, of: depths(rows) }]);
    if (now - savedAt > SAVE_EVERY) save();
}

export function save(): void {
    savedAt = Date.now();
    try {
        localStorage.setItem(KEY, JSON.stringify(samples.get()));
    } catch {
        // No room: the charts then begin anew with the next load.
    }
}

export function forget(): void {
    localStorage.removeItem(KEY);
    samples.set([]);
}
addEventListener("pagehide", () => samples.get().length && save());
