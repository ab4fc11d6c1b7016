// board.ts - the counts that every page stands on: queues, agents, the process's figures. Asked again every
// few seconds, at once after an event, and more slowly while nobody looks; one question at a time, so that an
// older answer never comes after a newer one.
import { ApiError, get } from "../api/http";
import type { AgentRow, List, NamedValue, QueueRow } from "../api/shapes";
import { may, session } from "../session";
import { store } from "../store";
import { answered, unreachable } from "./link";
import { take } from "./samples";

export interface Board {
    at: number; // ms; 0: nothing has been read yet
    queues: QueueRow[];
    agents: AgentRow[];
    stats: Record<string, number>;
    fault: ApiError | null;
}

const empty: Board = { at: 0, queues: [], agents: [], stats: {}, fault: null };
export const board = store<Board>(empty);

const EVERY = 3_000;
const HIDDEN_EVERY = 15_000;
const STATS_EVERY = 9_000;
const STALE = 12_000; // after so long without an answer what is shown is called old
const SOONEST = 700; // between two questions, however many events come

let timer: number | undefined;
let stale: number | undefined;
let running: AbortController | null = null;
let asking = false;
let owed = false; // something happened after the question under way was asked
let askedAt = 0;
let statsAt = 0;

/* Page after page, to the last. */
export async function every<Row>(path: string, signal: AbortSignal): Promise<Row[]> {
    const rows: Row[] = [];
    let next: string | null | undefined = "";
    for (let page = 0; page < 100 && next !== null && next !== undefined; page++) {
        const tail: string = next ? `?after=${encodeURIComponent(next)}` : "";
        const list: List<Row> = await get<List<Row>>(path + tail, signal);
        rows.push(...list.rows);
        next = list.next || null;
    }
    return rows;
}

async function stats(signal: AbortSignal): Promise<Record<string, number>> {
    if (Date.now() - statsAt < STATS_EVERY) return board.get().stats;
    statsAt = Date.now(); // before the answer: an action meanwhile sets it to 0, and they are read again
    try {
        const { rows } = await get<List<NamedValue>>("/v1/stats", signal);
        return Object.fromEntries(rows.map((row) => [row.name, Number(row.value)]));
    } catch (error) {
        statsAt = 0;
        if (error instanceof ApiError && error.problem.status > 0 && error.problem.status < 500) return {};
        throw error;
    }
}

/* A token without the counts still has a light: whether the gateway answers. */
async function readNothing(signal: AbortSignal): Promise<void> {
    await get("/v1/whoami", signal);
    board.set({ ...board.get(), fault: null });
}

async function readAll(signal: AbortSignal): Promise<void> {
    const [queues, agents, figures] = await Promise.all([
        every<QueueRow>("/v1/queues", signal),
        every<AgentRow>("/v1/agents", signal),
        stats(signal),
    ]);
    if (signal.aborted) return;
    take(queues);
    board.set({ at: Date.now(), queues, agents, stats: figures, fault: null });
}

async function read(signal: AbortSignal): Promise<void> {
    try {
        const blind = session.get().state === "in" && !may("queues");
        await (blind ? readNothing : readAll)(signal);
        if (signal.aborted) return;
        heard();
        answered(may("events"));
    } catch (error) {
        if (signal.aborted || !(error instanceof ApiError)) return;
        board.set({ ...board.get(), fault: error });
        if (error.problem.status === 0 || error.problem.status >= 500) unreachable();
    }
}

/* From here the light has some seconds until it goes out. A hidden page asks more rarely, and nobody looks. */
function heard(): void {
    clearTimeout(stale);
    stale = window.setTimeout(() => document.hidden || unreachable(), STALE);
}

function plan(after: number): void {
    clearTimeout(timer);
    timer = window.setTimeout(ask, after);
}

async function ask(): Promise<void> {
    if (!running) return;
    const { signal } = running;
    asking = true;
    owed = false;
    askedAt = Date.now();
    await read(signal);
    if (signal.aborted) return;
    asking = false;
    if (owed) refresh();
    else plan(document.hidden ? HIDDEN_EVERY : EVERY);
}

export function boardStart(): void {
    boardStop();
    running = new AbortController();
    statsAt = 0;
    heard();
    void ask();
}

export function boardStop(): void {
    clearTimeout(timer);
    clearTimeout(stale);
    running?.abort();
    running = null;
    asking = false;
    board.set(empty);
}

/* Something happened: look soon, but never more often than SOONEST. After an action of one's own, at the
 * process's figures too. */
export function refresh(figures = false): void {
    if (figures) statsAt = 0;
    if (asking) owed = true;
    else if (running) plan(Math.max(0, askedAt + SOONEST - Date.now()));
}

document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
});
