// link.ts - whether the gateway is within reach, told by everything that asks it. The page's header and
// its banner read this; a reconnection after a restart of the gateway is visible here.
import { store } from "../store";

export type LinkState = "connecting" | "live" | "polling" | "lost";
export interface Link {
    state: LinkState;
    since: number; // ms; when this state began
}

export const link = store<Link>({ state: "connecting", since: Date.now() });

/* The stream carries events: "live". Without one (observers have none) fresh counts are "polling". */
let streaming = false;

/* What a page has read may be old once the gateway was out of reach, or nobody listened to its events. */
let away = false;
const waiting = new Set<() => void>();

export function onReturn(listener: () => void): () => void {
    waiting.add(listener);
    return () => void waiting.delete(listener);
}

function become(state: LinkState): void {
    if (link.get().state !== state) link.set({ state, since: Date.now() });
    if (state === "lost") away = true;
    if (!away || state === "lost" || state === "connecting") return;
    away = false;
    for (const listener of [...waiting]) listener();
}

export function streamIs(up: boolean): void {
    streaming = up;
    if (up) become("live");
    else if (link.get().state === "live") become("lost");
}

/* Let go on purpose, because nobody looks. */
export function streamRests(): void {
    streaming = false;
    away = true;
    if (link.get().state === "live") become("connecting");
}

export function answered(expectStream: boolean): void {
    if (streaming) become("live");
    else if (!expectStream) become("polling");
    else if (link.get().state !== "lost") become("connecting");
}

export function unreachable(): void {
    become("lost");
}

export function linkReset(): void {
    streaming = false;
    away = false;
    link.set({ state: "connecting", since: Date.now() });
}
