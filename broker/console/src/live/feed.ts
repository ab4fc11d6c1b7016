// feed.ts - the event stream: opened after login, opened again whenever it ends, from where it stopped.
// Pages listen for the events; the newest few are kept for showing. A browser holds six connections to one
// host, and a stream takes one for good: a tab that nobody looks at lets it go after some seconds.
import { readStream, type Message } from "../api/stream";
import type { FeedEvent } from "../api/shapes";
import { ApiError } from "../api/http";
import { store } from "../store";
import { refresh } from "./board";
import { streamIs, streamRests } from "./link";

const KEEP = 60;
const SILENCE = 45_000; // the gateway says at least a comment more often than this
const TOGETHER = 150;
const UNSEEN_MS = 5_000; // so long hidden, and the stream is let go
const BACKOFF = [500, 1_000, 2_000, 3_000, 5_000];

export const recent = store<FeedEvent[]>([]); // newest first

const listeners = new Set<(events: FeedEvent[]) => void>();
export function onEvents(listener: (events: FeedEvent[]) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
}

let running: AbortController | null = null;
let lastId = "";
let open: FeedEvent[] = []; // of a seq whose last event, the one with the id, has not come
let waiting: FeedEvent[] = [];
let flush = 0;
let wake: () => void = () => {};
let unseen = 0; // the timer that lets go

function eventOf(message: Message): FeedEvent | null {
    try {
        const event = JSON.parse(message.data) as FeedEvent;
        return typeof event.seq === "number" ? event : null;
    } catch {
        return null;
    }
}

/* A busy city has thousands a second: the page takes them together, a few times a second. Of a stream that
 * ends before an id the next one tells again what came after the id before, so that waits for its own. */
function hear(messages: Message[]): void {
    for (const message of messages) {
        const event = eventOf(message);
        if (event) open.push(event);
        if (!message.id) continue;
        lastId = message.id;
        waiting.push(...open.splice(0));
    }
    if (waiting.length && !flush) flush = window.setTimeout(tell, TOGETHER);
}

function tell(): void {
    flush = 0;
    const events = waiting.splice(0);
    recent.set([...events.slice(-KEEP).reverse(), ...recent.get()].slice(0, KEEP));
    refresh();
    for (const listener of [...listeners]) listener(events);
}

async function once(outer: AbortSignal): Promise<boolean> {
    const inner = new AbortController();
    const stop = (): void => inner.abort();
    outer.addEventListener("abort", stop);
    let watch = window.setTimeout(stop, SILENCE);
    let opened = false;
    open = [];
    try {
        await readStream("/v1/events", lastId, inner.signal, {
            opened() {
                opened = true;
                streamIs(true);
                refresh();
            },
            heard() {
                clearTimeout(watch);
                watch = window.setTimeout(stop, SILENCE);
            },
            messages: hear,
        });
    } catch (error) {
        // A refusal for good (the account may not): there is nothing to wait for.
        if (error instanceof ApiError && [401, 403, 404].includes(error.problem.status)) throw error;
    } finally {
        clearTimeout(watch);
        outer.removeEventListener("abort", stop);
    }
    if (!outer.aborted) streamIs(false);
    return opened;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((done) => {
        const timer = window.setTimeout(done, ms);
        wake = () => {
            clearTimeout(timer);
            done();
        };
        signal.addEventListener("abort", wake, { once: true });
    });
}

async function run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
        const opened = await once(signal);
        failures = opened ? 0 : failures + 1;
        const wait = BACKOFF[Math.min(failures, BACKOFF.length - 1)] ?? 1_000;
        if (!signal.aborted) await pause(wait * (0.75 + Math.random() / 2), signal);
    }
}

function connect(): void {
    running?.abort();
    running = new AbortController();
    run(running.signal).catch(() => streamIs(false));
}

function rest(): void {
    running?.abort();
    streamRests();
}

function onVisible(): void {
    clearTimeout(unseen);
    if (document.hidden) unseen = window.setTimeout(rest, UNSEEN_MS);
    else if (running?.signal.aborted) connect();
}

export function feedStart(): void {
    feedStop();
    connect();
    document.addEventListener("visibilitychange", onVisible);
    if (document.hidden) onVisible();
}

export function feedStop(): void {
    document.removeEventListener("visibilitychange", onVisible);
    clearTimeout(unseen);
    running?.abort();
    running = null;
    lastId = "";
    open = [];
    waiting = [];
    recent.set([]);
}

/* A person does not want to wait for the next attempt. */
export function retryNow(): void {
    wake();
    refresh();
}
